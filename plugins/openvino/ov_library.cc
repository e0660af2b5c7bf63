// SPDX-License-Identifier: Apache-2.0
// The search: what the user names, beside the plug-in, Python environments, the system. A place
// that the user names must do; others are passed over if they hold nothing, but a broken library in
// one is reported.
#include "ov_library.h"

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <mutex>

#include "base/error.h"

namespace phial::ov {
namespace {

constexpr const char* kBareName = "libopenvino_c.so";

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value ? value : "";
}

std::vector<fs::path> entries(const fs::path& folder) {
  std::vector<fs::path> found;
  std::error_code ignored;
  for (fs::directory_iterator it(folder, ignored), end; !ignored && it != end;
       it.increment(ignored))
    found.push_back(it->path());
  std::sort(found.begin(), found.end());
  return found;
}

// prefix/lib/python3.X/{site,dist}-packages, and lib64.
void add_prefix(std::vector<Place>& places, const fs::path& prefix, const std::string& why) {
  for (const char* lib : {"lib", "lib64"})
    for (const fs::path& python : entries(prefix / lib))
      if (python.filename().string().starts_with("python3"))
        for (const char* packages : {"site-packages", "dist-packages"})
          places.push_back({python / packages / "openvino" / "libs", why});
}

// The prefixes of the python3 on PATH: of a virtual environment the environment, else where the
// interpreter was installed. pyenv puts scripts on PATH that stand for its versions.
void add_python_on_path(std::vector<Place>& places) {
  constexpr const char* kWhy = "the packages of a python3 on PATH";
  const std::string path = environment("PATH");
  for (size_t begin = 0; begin < path.size();) {
    const size_t end = std::min(path.find(':', begin), path.size());
    const fs::path folder = path.substr(begin, end - begin);
    begin = end + 1;
    std::error_code ignored;
    if (folder.empty() || !fs::exists(folder / "python3", ignored)) continue;
    add_prefix(places, folder.parent_path(), kWhy);
    if (folder.filename() == "shims")
      for (const fs::path& version : entries(folder.parent_path() / "versions"))
        add_prefix(places, version, kWhy);
  }
}

// The same folder by two ways is looked into once.
void drop_repeats(std::vector<Place>& places) {
  std::vector<fs::path> seen;
  std::erase_if(places, [&](const Place& place) {
    std::error_code ignored;
    const fs::path real = fs::weakly_canonical(place.path, ignored);
    const bool known = std::find(seen.begin(), seen.end(), real) != seen.end();
    if (!known) seen.push_back(real);
    return known;
  });
}

}  // namespace

std::vector<Place> places_to_look(const std::string& option) {
  std::vector<Place> places;
  if (!option.empty()) return {{option, "the setting 'library'"}};
  if (const std::string named = environment("PHIAL_OPENVINO_LIB"); !named.empty())
    return {{named, "PHIAL_OPENVINO_LIB"}};
  const fs::path own = file_of_code(reinterpret_cast<const void*>(&places_to_look)).parent_path();
  if (!own.empty()) {
    places.push_back({own, "beside the plug-in"});
    places.push_back({own / "openvino" / "libs", "beside the plug-in"});
  }
  for (const char* name : {"VIRTUAL_ENV", "CONDA_PREFIX"})
    if (const std::string prefix = environment(name); !prefix.empty()) {
      add_prefix(places, prefix, name);
      places.push_back({fs::path(prefix) / "lib", name});
    }
  add_python_on_path(places);
  if (const std::string home = environment("HOME"); !home.empty())
    add_prefix(places, fs::path(home) / ".local", "Python's packages of this user");
  if (const std::string installed = environment("INTEL_OPENVINO_DIR"); !installed.empty())
    places.push_back({fs::path(installed) / "runtime" / "lib" / "intel64", "INTEL_OPENVINO_DIR"});
  for (const char* folder : {"/opt/intel/openvino/runtime/lib/intel64", "/usr/lib/x86_64-linux-gnu",
                             "/usr/local/lib", "/usr/lib64", "/usr/lib"})
    places.push_back({folder, "the system"});
  drop_repeats(places);
  return places;
}

std::vector<fs::path> libraries_in(const fs::path& place) {
  std::error_code ignored;
  if (fs::is_regular_file(place, ignored)) return {place};
  std::vector<fs::path> found;
  for (const fs::path& folder : {place, place / "openvino" / "libs", place / "libs"}) {
    for (const fs::path& file : entries(folder))
      if (file.filename().string().starts_with(kBareName)) found.push_back(file);
    if (!found.empty()) break;
  }
  std::reverse(found.begin(), found.end());  // of names that differ in their number the highest
  return found;
}

namespace {

std::unique_ptr<Api> search(const std::string& option) {
  std::string tried;
  for (const Place& place : places_to_look(option)) {
    const auto libraries = libraries_in(place.path);
    tried +=
        fmt::format("\n  {} ({}){}", place.path.string(), place.why, libraries.empty() ? "" : ":");
    for (const fs::path& file : libraries) {
      try {
        return std::make_unique<Api>(SharedLibrary(file));
      } catch (const Error& error) {  // the loader's words name a missing dependent library
        if (error.code() == Code::kUnsupported) throw;
        tried += fmt::format(" {}", error.what());
      }
    }
  }
  if (option.empty() && environment("PHIAL_OPENVINO_LIB").empty()) {
    try {
      return std::make_unique<Api>(SharedLibrary(kBareName));
    } catch (const Error& error) {
      if (error.code() == Code::kUnsupported) throw;
      tried += fmt::format("\n  the system's loader: {}", error.what());
    }
  }
  throw_error(
      Code::kNotFound,
      "OpenVINO isn't found ({}): install it (pip install openvino), or name its library or "
      "folder in PHIAL_OPENVINO_LIB\nLooked in:{}",
      kBareName, tried);
}

}  // namespace

const Api& openvino(const std::string& option) {
  static std::mutex mutex;
  static Api* loaded = nullptr;  // never freed: OpenVINO's threads may outlive our statics
  const std::lock_guard lock(mutex);
  if (!loaded) loaded = search(option).release();
  return *loaded;
}

}  // namespace phial::ov
