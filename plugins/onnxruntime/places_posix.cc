// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cstdlib>

#include "places.h"

namespace phial::ort {
namespace {

// prefix/lib/python3.X/{site,dist}-packages, and lib64.
void add_prefix(std::vector<Place>& places, const fs::path& prefix, const std::string& why,
                const char* package) {
  for (const char* lib : {"lib", "lib64"})
    for (const fs::path& python : entries(prefix / lib))
      if (python.filename().string().starts_with("python3"))
        for (const char* packages : {"site-packages", "dist-packages"})
          places.push_back({python / packages / package, why});
}

// The prefixes of the python3 on PATH: of a virtual environment the environment, else where the
// interpreter was installed. pyenv puts scripts on PATH that stand for its versions.
void add_python_on_path(std::vector<Place>& places, const char* package) {
  constexpr const char* kWhy = "the packages of a python3 on PATH";
  const std::string path = variable("PATH");
  for (size_t begin = 0; begin < path.size();) {
    const size_t end = std::min(path.find(':', begin), path.size());
    const fs::path folder = path.substr(begin, end - begin);
    begin = end + 1;
    std::error_code ignored;
    if (folder.empty() || !fs::exists(folder / "python3", ignored)) continue;
    add_prefix(places, folder.parent_path(), kWhy, package);
    if (folder.filename() == "shims")
      for (const fs::path& version : entries(folder.parent_path() / "versions"))
        add_prefix(places, version, kWhy, package);
  }
}

}  // namespace

std::vector<Place> installed_places(const char* package) {
  std::vector<Place> places;
  for (const char* name : {"VIRTUAL_ENV", "CONDA_PREFIX"})
    if (const std::string prefix = variable(name); !prefix.empty()) {
      add_prefix(places, prefix, name, package);
      places.push_back({fs::path(prefix) / "lib", name});
    }
  add_python_on_path(places, package);
  if (const std::string home = variable("HOME"); !home.empty())
    add_prefix(places, fs::path(home) / ".local", "Python's packages of this user", package);
  for (const char* folder : {"/usr/local/lib", "/usr/lib/x86_64-linux-gnu",
                             "/usr/lib/aarch64-linux-gnu", "/usr/lib64", "/usr/lib"})
    places.push_back({folder, "the system"});
  return places;
}

void set_variable(const char* name, const std::string& value) { ::setenv(name, value.c_str(), 1); }

void load_companions(const fs::path& /*ort_folder*/) {}

std::string nvidia_missing() {
  if (gpu_may_be_there()) return {};
  return "no NVIDIA GPU is seen: there is no /dev/nvidiactl (its driver isn't loaded, or there is "
         "none)";
}

// The second is Windows' GPU in its Linux subsystem.
bool gpu_may_be_there() {
  std::error_code ignored;
  return fs::exists("/dev/nvidiactl", ignored) || fs::exists("/dev/dxg", ignored);
}

}  // namespace phial::ort
