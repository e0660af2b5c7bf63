// SPDX-License-Identifier: Apache-2.0
// Which plug-ins there are; what is in one is plugin_host.cc's business.
#include <algorithm>

#include "backend/plugin_host.h"
#include "base/shared_library.h"
#include "base/system.h"

namespace phial {
namespace {

constexpr std::string_view kPrefix = "phial_";

// "openvino" of ".../phial_openvino.so"; empty if the file isn't named like a plug-in.
std::string name_of(const fs::path& path) {
  const std::string stem = path.stem().string();
  if (path.extension() != kSharedLibrarySuffix || stem.size() <= kPrefix.size() ||
      !stem.starts_with(kPrefix))
    return {};
  return stem.substr(kPrefix.size());
}

void add(std::vector<PluginFile>& found, const fs::path& path) {
  const std::string name = name_of(path);
  if (name.empty()) return;
  if (std::none_of(found.begin(), found.end(), [&](const auto& f) { return f.name == name; }))
    found.push_back({name, path});
}

}  // namespace

std::string full_device_name(std::string_view name) {
  constexpr std::string_view kOrt = "ort:", kFull = "onnxruntime:";
  if (name.starts_with(kOrt)) return std::string(kFull).append(name.substr(kOrt.size()));
  const std::string_view family = name.substr(0, name.find(':'));
  if (family == "dml" || family == "cuda") return std::string(kFull).append(name);
  return std::string(name);
}

std::vector<fs::path> plugin_folders() {
  std::vector<fs::path> folders;
  const std::string named = environment("PHIAL_PLUGIN_PATH").value_or("");
  for (std::string_view rest = named; !rest.empty();) {
    const size_t end = std::min(rest.find(kPathListSeparator), rest.size());
    if (end > 0) folders.emplace_back(rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  const fs::path own = file_of_code(reinterpret_cast<const void*>(&plugin_folders)).parent_path();
  if (!own.empty()) {
    const size_t named_folders = folders.size();
    folders.push_back(own / "phial" / "plugins");  // own is lib/ in the build and installed,
    if (own.filename() != "lib")                   // bin/ of a program that has it all in itself
      folders.push_back(own.parent_path() / "lib" / "phial" / "plugins");
    // Where there is neither, all may lie flat in one folder, as .NET lays it for one platform.
    if (std::none_of(folders.begin() + static_cast<ptrdiff_t>(named_folders), folders.end(),
                     [](const fs::path& folder) {
                       std::error_code ignored;
                       return fs::is_directory(folder, ignored);
                     }))
      folders.push_back(own);
  }
  return folders;
}

std::vector<PluginFile> find_plugins(const std::vector<fs::path>& folders) {
  std::vector<PluginFile> found;
  for (const fs::path& folder : folders) {
    std::error_code ignored;  // a folder that isn't there or can't be read has no plug-ins
    if (fs::is_regular_file(folder, ignored)) {
      add(found, folder);
      continue;
    }
    std::vector<fs::path> files;
    for (fs::directory_iterator it(folder, ignored), end; !ignored && it != end;
         it.increment(ignored))
      files.push_back(it->path());
    std::sort(files.begin(), files.end());
    for (const fs::path& file : files) add(found, file);
  }
  return found;
}

}  // namespace phial
