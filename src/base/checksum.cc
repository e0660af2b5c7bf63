// SPDX-License-Identifier: Apache-2.0
// Four lanes, which a processor works on at once.
#include "base/checksum.h"

#include <cstring>

namespace phial {

uint64_t checksum(std::span<const std::byte> bytes) {
  constexpr uint64_t kMultiplier = 0x9e3779b97f4a7c15;
  uint64_t lanes[4] = {1, 2, 3, 4};
  size_t at = 0;
  for (; at + 32 <= bytes.size(); at += 32)
    for (size_t lane = 0; lane < 4; ++lane) {
      uint64_t word;
      std::memcpy(&word, bytes.data() + at + 8 * lane, 8);
      lanes[lane] = (lanes[lane] ^ word) * kMultiplier;
      lanes[lane] ^= lanes[lane] >> 29;
    }
  uint64_t sum = bytes.size();
  for (; at < bytes.size(); ++at) sum = (sum ^ static_cast<uint64_t>(bytes[at])) * kMultiplier;
  for (const uint64_t lane : lanes) sum = ((sum ^ lane) * kMultiplier) ^ (sum >> 31);
  return sum;
}

}  // namespace phial
