// SPDX-License-Identifier: Apache-2.0
// y = x W^T for a stored matrix: which kernel its format needs, how activations are prepared for
// it, and how its rows are shared out among threads. Every output element is computed by one thread
// in one order, so results don't depend on how many threads there are.
#pragma once

#include <cstdint>

#include "base/thread_pool.h"
#include "kernels/kernels.h"
#include "native/workspace.h"
#include "tensor/formats.h"

namespace phial {

kernels::Format kernel_format(WeightFormat format);

// The matrix that the next product will be with, so that threads can fetch its weights while they
// wait. nullptr: none, or nobody knows.
struct NextMatrix {
  const WeightMatrix* matrix = nullptr;
  bool gated = false;  // in run_gated()
};

class LinearRunner {
 public:
  LinearRunner(const kernels::KernelTable& table, ThreadPool& pool, Workspace& workspace)
      : table_(table), pool_(pool), workspace_(workspace) {}

  // Prepares tokens [begin, end) of x [n_tokens][cols] for run(); nothing to do for float formats.
  // Threads may share the tokens of one x; all must be done before run(), which is given the same
  // `planes`: 1 rounds activations to 8 bits, 2 to 16 (kernels.h).
  void pack(const WeightMatrix& matrix, const float* x, int32_t n_tokens, int32_t planes,
            int32_t begin, int32_t end) const;

  // y [n_tokens][y_stride]. x as it was given to pack().
  void run(const WeightMatrix& matrix, const float* x, int32_t n_tokens, int32_t planes, float* y,
           int64_t y_stride, NextMatrix next = {}) const;

  // y[t][i] = up * silu(gate) with matrix = [gate rows; up rows]; y [n_tokens][matrix.rows / 2],
  // densely.
  void run_gated(const WeightMatrix& matrix, const float* x, int32_t n_tokens, int32_t planes,
                 float* y, NextMatrix next = {}) const;

 private:
  using Kernel = void (*)(const kernels::Linear&);
  Kernel kernel(WeightFormat format) const;
  const void* input(const WeightMatrix& matrix, const float* x) const;
  ReadAhead ahead(NextMatrix next, int32_t n_tokens, int thread) const;

  const kernels::KernelTable& table_;
  ThreadPool& pool_;
  Workspace& workspace_;
};

}  // namespace phial
