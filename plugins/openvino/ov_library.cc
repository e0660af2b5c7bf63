// SPDX-License-Identifier: Apache-2.0
// The search: what the user names, beside the plug-in, and where the system has such things
// (ov_places.h). A place that the user names must do; others are passed over if they hold nothing,
// but a broken library in one is reported.
#include "ov_library.h"

#include <algorithm>
#include <memory>
#include <mutex>

#include "base/error.h"
#include "base/system.h"
#include "ov_places.h"

namespace phial::ov {
namespace {

std::string variable(const char* name) { return environment(name).value_or(""); }

// The same folder by two ways is looked into once.
void drop_repeats(std::vector<Place>& places) {
  std::vector<fs::path> seen;
  std::erase_if(places, [&](const Place& place) {
    std::error_code failed;
    fs::path real = fs::weakly_canonical(place.path, failed);
    if (failed) real = place.path;
    const bool known = std::find(seen.begin(), seen.end(), real) != seen.end();
    if (!known) seen.push_back(real);
    return known;
  });
}

}  // namespace

std::vector<Place> places_to_look(const std::string& option) {
  std::vector<Place> places;
  if (!option.empty()) return {{option, "the setting 'library'"}};
  if (const std::string named = variable("PHIAL_OPENVINO_LIB"); !named.empty())
    return {{named, "PHIAL_OPENVINO_LIB"}};
  const fs::path own = file_of_code(reinterpret_cast<const void*>(&places_to_look)).parent_path();
  if (!own.empty()) {
    places.push_back({own, "beside the plug-in"});
    places.push_back({own / "openvino" / "libs", "beside the plug-in"});
  }
  for (Place& place : installed_places()) places.push_back(std::move(place));
  drop_repeats(places);
  return places;
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

std::vector<fs::path> libraries_in(const fs::path& place) {
  std::error_code ignored;
  if (fs::is_regular_file(place, ignored)) return {place};
  std::vector<fs::path> found;
  for (const fs::path& folder : {place, place / "openvino" / "libs", place / "libs"}) {
    for (const fs::path& file : entries(folder))
      if (file.filename().string().starts_with(kLibraryName)) found.push_back(file);
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
  if (option.empty() && variable("PHIAL_OPENVINO_LIB").empty()) {
    try {
      return std::make_unique<Api>(SharedLibrary(kLibraryName));
    } catch (const Error& error) {
      if (error.code() == Code::kUnsupported) throw;
      tried += fmt::format("\n  the system's loader: {}", error.what());
    }
  }
  throw_error(
      Code::kNotFound,
      "OpenVINO isn't found ({}): install it (pip install openvino), or name its library or "
      "folder in PHIAL_OPENVINO_LIB\nLooked in:{}",
      kLibraryName, tried);
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
