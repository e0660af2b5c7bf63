// SPDX-License-Identifier: Apache-2.0
// What the systems differ in is in affinity_posix.cc and affinity_windows.cc.
#include "base/affinity.h"

namespace phial {

Affinity Affinity::of(int cpu) {
  Affinity one;
  if (cpu >= 0 && cpu < 1024) one.bits_[static_cast<size_t>(cpu) / 64] = uint64_t{1} << (cpu % 64);
  return one;
}

std::vector<int> Affinity::cpus() const {
  std::vector<int> all;
  for (int cpu = 0; cpu < 1024; ++cpu)
    if (has(cpu)) all.push_back(cpu);
  return all;
}

StayOn::StayOn(int cpu) {
  if (cpu < 0) return;
  before_ = Affinity::of_this_thread();
  Affinity::of(cpu).apply();
}

}  // namespace phial
