// SPDX-License-Identifier: Apache-2.0
// SHA-256 (FIPS 180-4), for naming content in manifests. Not tuned: about 200 MB/s.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace phial {

class Sha256 {
 public:
  void add(std::span<const std::byte> bytes);
  void add(std::string_view text) { add(std::as_bytes(std::span(text.data(), text.size()))); }
  std::string hex();  // of everything added; call once

 private:
  void block(const std::byte* p);

  std::array<uint32_t, 8> state_ = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                    0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
  std::array<std::byte, 64> buffer_;
  uint64_t length_ = 0;
};

}  // namespace phial
