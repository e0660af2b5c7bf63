// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "base/system.h"
#include "ov_places.h"

namespace phial::ov {
namespace {

std::string variable(const char* name) { return environment(name).value_or(""); }

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
  const std::string path = variable("PATH");
  for (size_t begin = 0; begin < path.size();) {
    const size_t end = std::min(path.find(kPathListSeparator, begin), path.size());
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

}  // namespace

std::vector<Place> installed_places() {
  std::vector<Place> places;
  for (const char* name : {"VIRTUAL_ENV", "CONDA_PREFIX"})
    if (const std::string prefix = variable(name); !prefix.empty()) {
      add_prefix(places, prefix, name);
      places.push_back({fs::path(prefix) / "lib", name});
    }
  add_python_on_path(places);
  if (const std::string home = variable("HOME"); !home.empty())
    add_prefix(places, fs::path(home) / ".local", "Python's packages of this user");
  if (const std::string installed = variable("INTEL_OPENVINO_DIR"); !installed.empty())
    places.push_back({fs::path(installed) / "runtime" / "lib" / "intel64", "INTEL_OPENVINO_DIR"});
  for (const char* folder : {"/opt/intel/openvino/runtime/lib/intel64", "/usr/lib/x86_64-linux-gnu",
                             "/usr/local/lib", "/usr/lib64", "/usr/lib"})
    places.push_back({folder, "the system"});
  return places;
}

}  // namespace phial::ov
