// SPDX-License-Identifier: Apache-2.0
// Windows says that "a module" is missing, never which: we look for it in the import tables.
#include <algorithm>
#include <cstring>
#include <vector>

#include "base/error.h"
#include "base/shared_library.h"
#include "base/windows_api.h"

namespace phial {
namespace {

// Where the libraries that it needs are looked for: in its own folder, the program's, the system's;
// and, if that won't do, where PATH says (so do the set-up scripts of some vendors).
constexpr DWORD kSearches[] = {LOAD_LIBRARY_SEARCH_DLL_LOAD_DIR | LOAD_LIBRARY_SEARCH_DEFAULT_DIRS,
                               LOAD_WITH_ALTERED_SEARCH_PATH};

// What LoadLibrary says of a library whose start threw (Microsoft's compiler).
constexpr DWORD kCppException = 0xE06D7363;

// The names in the import table of a library. It is mapped, none of its code runs.
std::vector<std::string> imports_of(const fs::path& file) {
  const HMODULE module = LoadLibraryExW(file.c_str(), nullptr, DONT_RESOLVE_DLL_REFERENCES);
  if (!module) return {};
  const auto* base = reinterpret_cast<const std::byte*>(module);
  const auto* dos = reinterpret_cast<const IMAGE_DOS_HEADER*>(base);
  const auto* headers = reinterpret_cast<const IMAGE_NT_HEADERS*>(base + dos->e_lfanew);
  const auto& directory = headers->OptionalHeader.DataDirectory[IMAGE_DIRECTORY_ENTRY_IMPORT];
  std::vector<std::string> names;
  if (directory.VirtualAddress)
    for (const auto* import =
             reinterpret_cast<const IMAGE_IMPORT_DESCRIPTOR*>(base + directory.VirtualAddress);
         import->Name; ++import)
      names.emplace_back(reinterpret_cast<const char*>(base + import->Name));
  FreeLibrary(module);
  return names;
}

bool can_be_found(const std::wstring& name, const fs::path& folder) {
  if (GetModuleHandleW(name.c_str())) return true;
  std::error_code ignored;
  if (fs::exists(folder / name, ignored)) return true;
  const HMODULE found = LoadLibraryExW(name.c_str(), nullptr, LOAD_LIBRARY_AS_DATAFILE);
  if (found) FreeLibrary(found);
  return found != nullptr;
}

// What `file`, or a library beside it that it needs, imports and nobody has.
std::string missing_imports(const fs::path& file) {
  std::string missing;
  std::vector<fs::path> seen = {file};
  for (size_t i = 0; i < seen.size() && i < 100; ++i) {
    const fs::path folder = seen[i].parent_path();
    for (const std::string& import : imports_of(seen[i])) {
      std::error_code ignored;
      const fs::path beside = folder / import;
      if (!can_be_found(to_wide(import), folder))
        missing += fmt::format("{}{} (needed by {})", missing.empty() ? "" : ", ", import,
                               seen[i].filename().string());
      else if (fs::exists(beside, ignored) &&
               std::find(seen.begin(), seen.end(), beside) == seen.end())
        seen.push_back(beside);
    }
  }
  return missing;
}

}  // namespace

// Every module that is loaded is found by its bare name by those that are loaded later, so
// `found_by_others` needs nothing here.
SharedLibrary::SharedLibrary(const fs::path& path, bool /*found_by_others*/) : path_(path) {
  fs::path full = path;
  if (path.has_parent_path()) full = fs::absolute(path).make_preferred();
  HMODULE module = nullptr;
  if (!full.is_absolute()) module = LoadLibraryW(full.c_str());
  for (const DWORD search : kSearches)
    if (!module && full.is_absolute()) module = LoadLibraryExW(full.c_str(), nullptr, search);
  if (!module) {
    const DWORD error = GetLastError();
    std::error_code ignored;
    std::string missing;
    if (error == ERROR_MOD_NOT_FOUND && full.is_absolute() && fs::exists(full, ignored))
      missing = missing_imports(full);
    throw_error(Code::kNotFound, "{}: can't be loaded: {}{}{}", path.string(),
                error == kCppException ? "it failed while it was starting" : windows_message(error),
                missing.empty() ? "" : "; missing: ", missing);
  }
  handle_ = module;
}

void* SharedLibrary::symbol(const char* name) const {
  return handle_ ? reinterpret_cast<void*>(GetProcAddress(static_cast<HMODULE>(handle_), name))
                 : nullptr;
}

fs::path file_of_code(const void* address) {
  HMODULE module = nullptr;
  if (!GetModuleHandleExW(
          GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS | GET_MODULE_HANDLE_EX_FLAG_UNCHANGED_REFCOUNT,
          static_cast<LPCWSTR>(address), &module))
    return {};
  std::wstring name(512, L'\0');
  for (;;) {
    const DWORD n = GetModuleFileNameW(module, name.data(), static_cast<DWORD>(name.size()));
    if (n < name.size()) {
      name.resize(n);
      return fs::path(name);
    }
    name.resize(2 * name.size());
  }
}

}  // namespace phial
