// SPDX-License-Identifier: Apache-2.0
// This computer: its processors and which engines can use them.
#include "api/choose.h"
#include "api/handles.h"
#include "api/units.h"
#include "base/cpu_info.h"
#include "kernels/dispatch.h"

using phial::Json;
namespace api = phial::api;

namespace {

Json tiers_json() {
  Json tiers = Json::array();
  for (const phial::kernels::Tier& tier : phial::kernels::tiers())
    tiers.push_back({{"name", tier.name},
                     {"built", tier.built},
                     {"runs_here", tier.runs_here},
                     {"why_not", tier.why_not}});
  return tiers;
}

}  // namespace

extern "C" {

phial_error* phial_devices(char** json) {
  return api::guarded([&] {
    api::need(json, "json");
    const phial::Root root = phial::Root::of_user();
    const phial::Machine machine = phial::read_machine(root);
    std::vector<phial::Device> all;
    for (const auto& backend : api::make_backends("auto", {}))
      for (phial::Device& device : backend->devices()) all.push_back(std::move(device));
    Json devices = Json::array();
    for (const phial::Device& device : all)
      devices.push_back({{"id", device.id},
                         {"kind", device.kind},
                         {"description", device.description},
                         {"usable", device.why_not.empty()},
                         {"why_not", device.why_not}});
    Json result = {{"version", PHIAL_VERSION},
                   {"cpu", phial::cpu_name()},
                   {"threads", phial::available_threads()},
                   {"memory_bytes", phial::physical_memory_bytes()}};
    try {
      result["tier"] = phial::kernels::best().name;
    } catch (const phial::Error&
                 e) {  // PHIAL_ISA asks for one that can't run: the list is the more welcome
      result["tier"] = nullptr;
      result["tier_error"] = e.what();
    }
    result["tiers"] = tiers_json();
    result["devices"] = std::move(devices);
    result["machine"] = phial::to_json(machine);
    result["units"] = api::to_json(api::make_units(root, machine, all));
    *json = api::copy_text(result.dump(-1, ' ', false, Json::error_handler_t::replace));
  });
}

}  // extern "C"
