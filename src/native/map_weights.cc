// SPDX-License-Identifier: Apache-2.0
#include "native/map_weights.h"

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <span>
#include <vector>

#include "base/affinity.h"
#include "base/file.h"

namespace phial {
namespace {

constexpr size_t kPiece = 16u << 20;  // a thread's

void add(std::vector<std::span<const std::byte>>& pieces, const void* data, uint64_t bytes) {
  const std::span<const std::byte> all(static_cast<const std::byte*>(data),
                                       data ? static_cast<size_t>(bytes) : 0);
  for (size_t at = 0; at < all.size(); at += kPiece)
    pieces.push_back(all.subspan(at, std::min(kPiece, all.size() - at)));
}

}  // namespace

void map_weights(const Phi3Weights& weights, ThreadPool& pool) {
  std::vector<std::span<const std::byte>> pieces;
  const auto add_matrix = [&](const WeightMatrix& matrix) {
    add(pieces, matrix.data, matrix.data_bytes());
    add(pieces, matrix.scales, matrix.scale_bytes());
    if (matrix.zero_points) add(pieces, matrix.zero_points, matrix.zero_point_bytes());
  };
  for (const Phi3Layer& layer : weights.layers)
    for (const WeightMatrix* matrix : {&layer.qkv, &layer.o, &layer.gate_up, &layer.down})
      add_matrix(*matrix);
  add_matrix(weights.lm_head);
  const StayOn stay(pool.callers_cpu());
  std::atomic<bool> cold = false;
  pool.parallel_for(static_cast<int64_t>(pieces.size()), [&](int64_t piece, int) {
    if (!cold && !map_resident(pieces[static_cast<size_t>(piece)])) cold = true;
  });
}

}  // namespace phial
