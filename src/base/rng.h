// SPDX-License-Identifier: Apache-2.0
// A small deterministic random generator (xoshiro256**, seeded by splitmix64). The same seed gives
// the same numbers on every platform and compiler, unlike the distributions of <random>. Not for
// secrets.
#pragma once

#include <cstdint>

namespace phial {

class Rng {
 public:
  explicit Rng(uint64_t seed);
  uint64_t next();
  double uniform() { return static_cast<double>(next() >> 11) * 0x1.0p-53; }  // [0, 1)
  uint64_t below(uint64_t n) {
    return n ? next() % n : 0;
  }  // [0, n); bias below 2^-32 for n < 2^32
  // Nearly normal, mean 0, standard deviation 1: the sum of twelve 16-bit uniforms, in integers, so
  // exact everywhere.
  float normal();

 private:
  uint64_t state_[4];
};

}  // namespace phial
