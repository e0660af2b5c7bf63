// SPDX-License-Identifier: Apache-2.0
#include "models/git_blob.h"

#include <fmt/format.h>

#include <array>
#include <bit>
#include <cstdint>
#include <vector>

namespace phial {
namespace {

using State = std::array<uint32_t, 5>;

void add_block(State& state, const std::byte* bytes) {
  std::array<uint32_t, 80> w;
  for (size_t i = 0; i < 16; ++i) {
    w[i] = 0;
    for (size_t j = 0; j < 4; ++j) w[i] = w[i] << 8 | static_cast<uint32_t>(bytes[4 * i + j]);
  }
  for (size_t i = 16; i < 80; ++i) w[i] = std::rotl(w[i - 3] ^ w[i - 8] ^ w[i - 14] ^ w[i - 16], 1);
  auto [a, b, c, d, e] = state;
  for (size_t i = 0; i < 80; ++i) {
    const uint32_t f = i < 20   ? (b & c) | (~b & d)
                       : i < 40 ? b ^ c ^ d
                       : i < 60 ? (b & c) | (b & d) | (c & d)
                                : b ^ c ^ d;
    constexpr uint32_t kRound[4] = {0x5A827999, 0x6ED9EBA1, 0x8F1BBCDC, 0xCA62C1D6};
    const uint32_t next = std::rotl(a, 5) + f + e + kRound[i / 20] + w[i];
    e = d;
    d = c;
    c = std::rotl(b, 30);
    b = a;
    a = next;
  }
  const State sum = {a, b, c, d, e};
  for (size_t i = 0; i < 5; ++i) state[i] += sum[i];
}

}  // namespace

std::string git_blob_name(std::span<const std::byte> content) {
  const std::string head = fmt::format("blob {}", content.size());
  std::vector<std::byte> all(reinterpret_cast<const std::byte*>(head.data()),
                             reinterpret_cast<const std::byte*>(head.data()) + head.size() + 1);
  all.insert(all.end(), content.begin(), content.end());
  const uint64_t bits = 8 * static_cast<uint64_t>(all.size());
  all.push_back(std::byte{0x80});
  while (all.size() % 64 != 56) all.push_back(std::byte{0});
  for (int shift = 56; shift >= 0; shift -= 8) all.push_back(static_cast<std::byte>(bits >> shift));
  State state = {0x67452301, 0xEFCDAB89, 0x98BADCFE, 0x10325476, 0xC3D2E1F0};
  for (size_t at = 0; at < all.size(); at += 64) add_block(state, all.data() + at);
  std::string hex;
  for (const uint32_t word : state) hex += fmt::format("{:08x}", word);
  return hex;
}

}  // namespace phial
