// SPDX-License-Identifier: Apache-2.0
// Algorithms: David Blackman and Sebastiano Vigna, "Scrambled linear pseudorandom number
// generators" (2018).
#include "base/rng.h"

namespace phial {
namespace {

uint64_t rotl(uint64_t x, int k) { return (x << k) | (x >> (64 - k)); }

}  // namespace

Rng::Rng(uint64_t seed) {
  for (uint64_t& s : state_) {
    seed += 0x9E3779B97F4A7C15ull;
    uint64_t z = seed;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ull;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBull;
    s = z ^ (z >> 31);
  }
}

uint64_t Rng::next() {
  const uint64_t result = rotl(state_[1] * 5, 7) * 9;
  const uint64_t t = state_[1] << 17;
  state_[2] ^= state_[0];
  state_[3] ^= state_[1];
  state_[1] ^= state_[2];
  state_[0] ^= state_[3];
  state_[2] ^= t;
  state_[3] = rotl(state_[3], 45);
  return result;
}

float Rng::normal() {
  int32_t sum = 0;
  for (int i = 0; i < 3; ++i) {
    const uint64_t x = next();
    sum += static_cast<int32_t>(x & 0xFFFF) + static_cast<int32_t>((x >> 16) & 0xFFFF) +
           static_cast<int32_t>((x >> 32) & 0xFFFF) + static_cast<int32_t>(x >> 48);
  }
  // 12 uniforms on 0..65535: mean 12 * 65535 / 2, variance 12 * (65536^2 - 1) / 12, i.e. deviation
  // 65536
  return static_cast<float>(sum - 393210) * (1.0f / 65536.0f);
}

}  // namespace phial
