// SPDX-License-Identifier: Apache-2.0
#include <sys/mman.h>
#include <unistd.h>

#include "kernels/kernel_fixtures.h"

namespace phial::kernels {

size_t page_bytes() { return static_cast<size_t>(sysconf(_SC_PAGESIZE)); }

char* map_guarded(size_t bytes) {
  void* base = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (base == MAP_FAILED) return nullptr;
  char* last = static_cast<char*>(base) + bytes - page_bytes();
  return mprotect(last, page_bytes(), PROT_NONE) == 0 ? static_cast<char*>(base) : nullptr;
}

void unmap_guarded(char* base, size_t bytes) { munmap(base, bytes); }

}  // namespace phial::kernels
