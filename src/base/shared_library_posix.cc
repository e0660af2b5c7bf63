// SPDX-License-Identifier: Apache-2.0
#include <dlfcn.h>

#include "base/error.h"
#include "base/shared_library.h"

namespace phial {

SharedLibrary::SharedLibrary(const fs::path& path, bool found_by_others) : path_(path) {
  handle_ = ::dlopen(path.c_str(),
                     RTLD_NOW | RTLD_NODELETE | (found_by_others ? RTLD_GLOBAL : RTLD_LOCAL));
  if (!handle_) {
    const char* reason = ::dlerror();
    throw_error(Code::kNotFound, "{}", reason ? reason : path.string() + ": can't be loaded");
  }
}

void* SharedLibrary::symbol(const char* name) const {
  return handle_ ? ::dlsym(handle_, name) : nullptr;
}

fs::path file_of_code(const void* address) {
  Dl_info info;
  if (!::dladdr(address, &info) || !info.dli_fname) return {};
  std::error_code failed;
  const fs::path path = fs::canonical(info.dli_fname, failed);
  return failed ? fs::path() : path;
}

}  // namespace phial
