// SPDX-License-Identifier: Apache-2.0
// What the processor can do at most: how fast memory is read and how fast the tier's integer
// products go. Measured, since neither can be looked up; what kernels reach is told in percent of
// it.
#pragma once

#include <cstddef>
#include <span>

#include "base/thread_pool.h"
#include "kernels/kernels.h"

namespace phial::kernels {

struct Roofline {
  double read_bytes_per_second = 0;
  double int8_ops_per_second = 0;
};

// Takes about `seconds`, half of it for each. `data`: what is read, again and again, in order; more
// than the caches hold if memory's speed is meant, or the weights at hand if theirs is. Of several
// rounds the fastest counts: on a shared computer that is the one that others didn't disturb.
Roofline measure_roofline(ThreadPool& pool, const KernelTable& table,
                          std::span<const std::span<const std::byte>> data, double seconds = 0.1);

}  // namespace phial::kernels
