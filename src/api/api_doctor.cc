// SPDX-License-Identifier: Apache-2.0
// phial doctor: gathers what the checks are about.
#include "api/choose.h"
#include "api/doctor.h"
#include "api/handles.h"
#include "models/store.h"

using phial::Json;
namespace api = phial::api;

namespace {

std::vector<api::Check> check_models(std::string& next) {
  std::vector<api::Check> checks;
  phial::fs::path folder;
  size_t count = 0;
  try {
    const auto store = phial::ModelStore::of_user();
    folder = store.folder();
    const auto models = store.list();
    count = models.size();
    next = count ? "phial run " + models.front().name.text() : "phial run phi-3-mini";
  } catch (const phial::Error&) {  // no such place: the check says it
  }
  checks.push_back(api::check_folder("models", folder));
  checks.push_back({"models", "models", count ? api::CheckState::kOk : api::CheckState::kNote,
                    count ? fmt::format("{} here (phial list)", count) : "none yet", "",
                    count ? "" : "phial pull phi-3-mini"});
  return checks;
}

void append(std::vector<api::Check>& checks, std::vector<api::Check> more) {
  for (api::Check& check : more) checks.push_back(std::move(check));
}

}  // namespace

extern "C" {

phial_error* phial_doctor(char** json) {
  return api::guarded([&] {
    api::need(json, "json");
    const phial::Root root = phial::Root::of_user();
    const phial::Machine machine = phial::read_machine(root);
    std::vector<api::EngineFacts> engines;
    std::vector<phial::Device> devices;
    for (const auto& backend : api::make_backends("auto", {})) {
      engines.push_back({backend->name(), backend->devices()});
      for (const phial::Device& device : engines.back().devices) devices.push_back(device);
    }
    std::vector<api::Check> checks = api::check_computer(machine);
    append(checks, api::check_units(root, machine, api::make_units(root, machine, devices)));
    append(checks, api::check_engines(engines, machine));
    std::string next;
    append(checks, check_models(next));
    checks.push_back(api::check_folder("cache", api::user_cache()));
    Json report = api::doctor_report(checks, next);
    report["machine"] = phial::to_json(machine);
    *json = api::copy_text(report.dump(-1, ' ', false, Json::error_handler_t::replace));
  });
}

}  // extern "C"
