// SPDX-License-Identifier: Apache-2.0
#include "cache.h"

#include "backend/compile_cache.h"
#include "package/sha256.h"

namespace phial::ov {
namespace {

// Two packages of one recipe differ in their bytes: those are named by size and time, as build
// tools do it, since reading gigabytes would take longer than many a compilation.
std::string identity(const Package& package) {
  const fs::path weights = package.folder() / kWeightsFile;
  std::error_code ignored;
  const auto time = fs::last_write_time(weights, ignored).time_since_epoch().count();
  return fmt::format("{}\n{} {}", package.manifest().dump(), package.stored()->file.size(), time);
}

}  // namespace

std::string cache_key(const Core& core, const Package& package, const std::string& xml,
                      const Target& target, const Properties& properties) {
  Sha256 sha;
  const auto add = [&](const std::string& text) {
    sha.add(text);
    sha.add(std::string_view("\0", 1));
  };
  add(std::string("phial ") + PHIAL_VERSION);
  add(identity(package));
  add(xml);
  add(target.id);
  add(core.api().full_version);
  for (const char* key : {"FULL_DEVICE_NAME", "DEVICE_ARCHITECTURE", "NPU_DRIVER_VERSION",
                          "NPU_COMPILER_VERSION", "GPU_DEVICE_ID", "GPU_UARCH_VERSION"})
    add(core.property(target.device, key));
  for (const auto& [key, value] : properties) add(key + "=" + value);
  return sha.hex();
}

std::unique_ptr<Compiled> cached_compile(
    const CacheName& name, const Notice& notice,
    const std::function<std::unique_ptr<Compiled>(const std::string& cache_folder)>& compile) {
  const CompileCache cache = CompileCache::of_user();
  if (!cache.enabled()) return compile({});
  const auto say = [&](NoticeKind kind, const std::string& text) {
    if (notice) notice(kind, text);
  };
  const auto not_kept = [&](const std::string& problem) {
    say(NoticeKind::kWarning,
        fmt::format("the compiled model can't be kept, the next start compiles again: {}",
                    problem));
  };
  if (const fs::path entry = cache.find(name.key); !entry.empty()) {
    auto compiled = compile(entry.string());
    if (compiled->property("LOADED_FROM_CACHE") == "NO")
      if (const std::string problem = cache.reseal(name.key, name.what); !problem.empty())
        not_kept(problem);
    return compiled;
  }
  std::string problem;
  const fs::path prepared = cache.prepare(problem);
  if (prepared.empty()) {
    not_kept(problem);
    return compile({});
  }
  say(NoticeKind::kInfo, fmt::format("compiling {}: this happens once, the result is kept in {}",
                                     name.what, cache.folder().string()));
  std::unique_ptr<Compiled> compiled;
  try {
    compiled = compile(prepared.string());
  } catch (...) {
    CompileCache::discard(prepared);
    throw;
  }
  problem = cache.store(prepared, name.key, name.what);
  if (!problem.empty()) not_kept(problem);
  return compiled;
}

}  // namespace phial::ov
