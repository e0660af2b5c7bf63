// SPDX-License-Identifier: Apache-2.0
// Models by name: the user's folder and the hub.
#include <cstdlib>
#include <mutex>
#include <string_view>

#include "api/handles.h"
#include "models/pull.h"
#include "models/store.h"

using phial::Code;
using phial::Json;
using phial::throw_error;
namespace api = phial::api;

namespace {

Json to_json(const phial::StoredModel& model) {
  return {{"name", model.name.text()},
          {"folder", model.folder.string()},
          {"bytes", model.bytes},
          {"changed", model.changed}};
}

void give(char** json, const Json& value) {
  if (json) *json = api::copy_text(value.dump(-1, ' ', false, Json::error_handler_t::replace));
}

phial::ModelName name_from(const char* text) {
  api::need(text, "name");
  if (const auto name = phial::parse_model_name(text)) return *name;
  throw_error(Code::kInvalidArgument,
              "'{}' can't be the name of a model; expected NAME[:int4|int8|fp16] or "
              "OWNER/NAME[@REVISION][:TAG]",
              text);
}

bool is_offline(const phial_pull_options& options) {
  const char* said = std::getenv("HF_HUB_OFFLINE");
  const std::string_view text = said ? said : "";
  return options.offline != 0 || text == "1" || text == "true" || text == "TRUE" || text == "yes" ||
         text == "on";
}

}  // namespace

extern "C" {

phial_error* phial_models_list(char** json) {
  return api::guarded([&] {
    api::need(json, "json");
    const auto store = phial::ModelStore::of_user();
    Json models = Json::array(), known = Json::array();
    for (const phial::StoredModel& model : store.list()) models.push_back(to_json(model));
    for (const phial::KnownModel& model : phial::known_models())
      known.push_back({{"name", model.name}, {"repository", model.repository}});
    give(json, {{"folder", store.folder().string()}, {"models", models}, {"known", known}});
  });
}

phial_error* phial_models_find(const char* name, char** folder) {
  return api::guarded([&] {
    api::need(name, "name");
    api::need(folder, "folder");
    std::error_code ignored;
    *folder = api::copy_text(phial::fs::exists(name, ignored)
                                 ? std::string(name)
                                 : phial::ModelStore::of_user().resolve(name).string());
  });
}

phial_error* phial_models_remove(const char* name, char** json) {
  return api::guarded(
      [&] { give(json, to_json(phial::ModelStore::of_user().remove(name_from(name)))); });
}

phial_error* phial_models_copy(const char* from, const char* to, char** json) {
  return api::guarded([&] {
    api::need(from, "from");
    give(json, to_json(phial::ModelStore::of_user().copy(from, name_from(to))));
  });
}

void phial_pull_options_init(phial_pull_options* options, size_t size) {
  phial_pull_options defaults = {};
  defaults.connections = 4;
  phial::api::give_struct(options, size, defaults);
}

phial_error* phial_pull(const char* name, const phial_pull_options* options,
                        phial_progress progress, phial_interrupt interrupt, void* user,
                        char** json) {
  return api::guarded([&] {
    const phial::ModelName wanted = name_from(name);
    const phial_pull_options given = api::read_struct(options, &phial_pull_options_init);
    if (given.connections < 1 || given.connections > 64)
      throw_error(Code::kInvalidArgument, "connections is {}, expected 1 to 64", given.connections);
    phial::PullOptions asked;
    const phial_quantize_options recipe =
        api::read_struct(given.recipe, &phial_quantize_options_init);
    asked.recipe = api::to_recipe(recipe);
    asked.threads = recipe.threads;
    asked.connections = given.connections;
    asked.keep = given.keep != 0;
    asked.artefacts = api::quantize_artefacts();
    std::mutex one_at_a_time;
    if (progress)
      asked.progress = [&](const phial::PullProgress& p) {
        const std::lock_guard lock(one_at_a_time);
        progress(
            user, p.done, p.total,
            fmt::format("{} {}", p.downloading ? "downloading" : "quantizing", p.what).c_str());
      };
    if (interrupt)
      asked.interrupt = [&] {
        const std::lock_guard lock(one_at_a_time);
        return interrupt(user) != 0;
      };
    const auto store = phial::ModelStore::of_user();
    if (is_offline(given)) {
      if (const auto found = store.find(wanted)) {
        Json there = to_json(*found);
        there["was_there"] = true;
        return give(json, there);
      }
      throw_error(Code::kUnsupported,
                  "{}: isn't in {}, and offline nothing is downloaded (--offline, HF_HUB_OFFLINE)",
                  wanted.text(), store.folder().string());
    }
    const phial::Pulled pulled = phial::pull(store, phial::Hub::of_environment(), wanted, asked);
    Json result = to_json(pulled.model);
    result["was_there"] = pulled.was_there;
    give(json, result);
  });
}

}  // extern "C"
