// SPDX-License-Identifier: Apache-2.0
// The cache of compiled models, as its owner sees it.
#include "api/handles.h"
#include "backend/compile_cache.h"

using phial::Json;
namespace api = phial::api;

extern "C" {

phial_error* phial_cache_list(char** json) {
  return api::guarded([&] {
    api::need(json, "json");
    const auto cache = phial::CompileCache::of_user();
    Json entries = Json::array();
    for (const phial::CompileCacheEntry& entry : cache.list()) {
      entries.push_back({{"key", entry.key},
                         {"what", entry.what},
                         {"bytes", entry.bytes},
                         {"unused_seconds", entry.unused_seconds},
                         {"sound", entry.sound}});
    }
    const Json result = {{"folder", cache.folder().string()}, {"entries", entries}};
    *json = api::copy_text(result.dump(-1, ' ', false, Json::error_handler_t::replace));
  });
}

phial_error* phial_cache_clear(uint64_t* bytes) {
  return api::guarded([&] {
    const uint64_t removed = phial::CompileCache::of_user().clear();
    if (bytes) *bytes = removed;
  });
}

}  // extern "C"
