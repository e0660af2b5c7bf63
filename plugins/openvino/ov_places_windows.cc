// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "base/system.h"
#include "ov_places.h"

namespace phial::ov {
namespace {

fs::path variable(const char* name) { return environment(name).value_or(""); }

// A Python's folder or a virtual environment's: both have Lib\\site-packages.
void add_python(std::vector<Place>& places, const fs::path& prefix, const std::string& why) {
  places.push_back({prefix / "Lib" / "site-packages" / "openvino" / "libs", why});
}

// python.exe lies in an installation's own folder, in a virtual environment's Scripts.
void add_python_on_path(std::vector<Place>& places) {
  constexpr const char* kWhy = "the packages of a python.exe on PATH";
  const std::string path = environment("PATH").value_or("");
  for (size_t begin = 0; begin < path.size();) {
    const size_t end = std::min(path.find(kPathListSeparator, begin), path.size());
    const fs::path folder = path.substr(begin, end - begin);
    begin = end + 1;
    std::error_code ignored;
    if (folder.empty() || !fs::exists(folder / "python.exe", ignored)) continue;
    add_python(places, folder, kWhy);
    if (folder.filename() == "Scripts") add_python(places, folder.parent_path(), kWhy);
  }
}

}  // namespace

std::vector<Place> installed_places() {
  std::vector<Place> places;
  for (const char* name : {"VIRTUAL_ENV", "CONDA_PREFIX"})
    if (const fs::path prefix = variable(name); !prefix.empty()) add_python(places, prefix, name);
  add_python_on_path(places);
  // Where python.org's installer puts Pythons, and pip what it installs for one user.
  if (const fs::path local = variable("LOCALAPPDATA"); !local.empty())
    for (const fs::path& python : entries(local / "Programs" / "Python"))
      add_python(places, python, "Python's packages");
  if (const fs::path roaming = variable("APPDATA"); !roaming.empty())
    for (const fs::path& python : entries(roaming / "Python"))
      places.push_back(
          {python / "site-packages" / "openvino" / "libs", "Python's packages of this user"});
  const fs::path release = fs::path("runtime") / "bin" / "intel64" / "Release";
  if (const fs::path installed = variable("INTEL_OPENVINO_DIR"); !installed.empty())
    places.push_back({installed / release, "INTEL_OPENVINO_DIR"});
  if (const fs::path programs = variable("ProgramFiles(x86)"); !programs.empty())
    for (const fs::path& folder : entries(programs / "Intel"))
      if (folder.filename().string().starts_with("openvino"))
        places.push_back({folder / release, "an installation"});
  return places;
}

}  // namespace phial::ov
