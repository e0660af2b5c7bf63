// SPDX-License-Identifier: Apache-2.0
// Any bytes as a .safetensors file: either an Error, or tensors whose every byte can be read.
#include "checkpoint/safetensors.h"

#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <string>

#include "base/error.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const int fd = ::memfd_create("fuzz", MFD_CLOEXEC);
  if (fd < 0 || ::write(fd, data, size) != static_cast<ssize_t>(size)) std::abort();
  try {
    const phial::Safetensors file("/proc/self/fd/" + std::to_string(fd));
    unsigned sum = 0;
    for (const auto& [name, tensor] : file.tensors())
      for (uint64_t i = 0; i < tensor.bytes(); ++i) sum += static_cast<unsigned>(tensor.data[i]);
    volatile unsigned keep = sum;
    (void)keep;
  } catch (const phial::Error&) {
  }
  ::close(fd);
  return 0;
}
