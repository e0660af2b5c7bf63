// SPDX-License-Identifier: Apache-2.0
#include <sched.h>

#include "base/affinity.h"

namespace phial {

Affinity Affinity::of_this_thread() {
  cpu_set_t set;
  static_assert(sizeof set == sizeof bits_);
  Affinity affinity;
  CPU_ZERO(&set);
  if (sched_getaffinity(0, sizeof set, &set) != 0) return affinity;
  for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu)
    if (CPU_ISSET(cpu, &set))
      affinity.bits_[static_cast<size_t>(cpu) / 64] |= uint64_t{1} << (cpu % 64);
  return affinity;
}

void Affinity::apply() const {
  cpu_set_t set;
  CPU_ZERO(&set);
  for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu)
    if (has(cpu)) CPU_SET(cpu, &set);
  if (CPU_COUNT(&set) > 0) sched_setaffinity(0, sizeof set, &set);
}

}  // namespace phial
