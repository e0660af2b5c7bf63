// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "base/error.h"
#include "base/system.h"
#include "base/windows_api.h"
#include "places.h"

namespace phial::ort {
namespace {

// A Python's folder or a virtual environment's: both have Lib\\site-packages.
void add_python(std::vector<Place>& places, const fs::path& prefix, const std::string& why,
                const char* package) {
  places.push_back({prefix / "Lib" / "site-packages" / package, why});
}

// python.exe lies in an installation's own folder, in a virtual environment's Scripts.
void add_python_on_path(std::vector<Place>& places, const char* package) {
  constexpr const char* kWhy = "the packages of a python.exe on PATH";
  const std::string path = variable("PATH");
  for (size_t begin = 0; begin < path.size();) {
    const size_t end = std::min(path.find(kPathListSeparator, begin), path.size());
    const fs::path folder = path.substr(begin, end - begin);
    begin = end + 1;
    std::error_code ignored;
    if (folder.empty() || !fs::exists(folder / "python.exe", ignored)) continue;
    add_python(places, folder, kWhy, package);
    if (folder.filename() == "Scripts") add_python(places, folder.parent_path(), kWhy, package);
  }
}

}  // namespace

// Not System32: the ONNX Runtime there is Windows' own, older than phial can use.
std::vector<Place> installed_places(const char* package) {
  std::vector<Place> places;
  for (const char* name : {"VIRTUAL_ENV", "CONDA_PREFIX"})
    if (const std::string prefix = variable(name); !prefix.empty())
      add_python(places, prefix, name, package);
  add_python_on_path(places, package);
  // Where python.org's installer puts Pythons, and pip what it installs for one user.
  if (const std::string local = variable("LOCALAPPDATA"); !local.empty())
    for (const fs::path& python : entries(fs::path(local) / "Programs" / "Python"))
      add_python(places, python, "Python's packages", package);
  if (const std::string roaming = variable("APPDATA"); !roaming.empty())
    for (const fs::path& python : entries(fs::path(roaming) / "Python"))
      places.push_back({python / "site-packages" / package, "Python's packages of this user"});
  return places;
}

// Microsoft's libraries use another C run-time library than we do. It copies the variables of the
// process when it is first loaded, which in a Python is before us: it is told by itself.
void set_variable(const char* name, const std::string& value) {
  const std::wstring wide_name = to_wide(name), wide_value = to_wide(value);
  SetEnvironmentVariableW(wide_name.c_str(), wide_value.c_str());
  using Put = int (*)(const wchar_t*, const wchar_t*);
  if (const HMODULE runtime = GetModuleHandleW(L"ucrtbase.dll"))
    if (const auto put =
            reinterpret_cast<Put>(reinterpret_cast<void*>(GetProcAddress(runtime, "_wputenv_s"))))
      put(wide_name.c_str(), wide_value.c_str());
}

void load_companions(const fs::path& ort_folder) {
  const fs::path file = ort_folder / "DirectML.dll";
  std::error_code ignored;
  if (!fs::exists(file, ignored)) return;
  try {
    const SharedLibrary stays(file);
  } catch (const Error&) {  // who wants DirectML is told by GenAI
  }
}

std::string nvidia_missing() {
  wchar_t folder[MAX_PATH];
  const UINT n = GetSystemDirectoryW(folder, MAX_PATH);
  std::error_code ignored;
  if (n > 0 && n < MAX_PATH && fs::exists(fs::path(folder) / "nvcuda.dll", ignored)) return {};
  return "no NVIDIA GPU is seen: nvcuda.dll isn't in the system's folder (its driver isn't "
         "installed, or there is none)";
}

bool gpu_may_be_there() { return true; }  // any that speaks DirectX 12

}  // namespace phial::ort
