// SPDX-License-Identifier: Apache-2.0
#include "base/windows_api.h"
#include "kernels/kernel_fixtures.h"

namespace phial::kernels {

size_t page_bytes() { return 4096; }

char* map_guarded(size_t bytes) {
  void* base = VirtualAlloc(nullptr, bytes, MEM_RESERVE, PAGE_NOACCESS);
  if (!base) return nullptr;
  const size_t usable = bytes - page_bytes();
  if (usable > 0 && !VirtualAlloc(base, usable, MEM_COMMIT, PAGE_READWRITE)) return nullptr;
  return static_cast<char*>(base);
}

void unmap_guarded(char* base, size_t) { VirtualFree(base, 0, MEM_RELEASE); }

}  // namespace phial::kernels
