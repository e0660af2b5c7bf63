// SPDX-License-Identifier: Apache-2.0
#include "native/linear.h"

#include <algorithm>

#include "native/row_shares.h"

namespace phial {
namespace {

// The smallest piece of weights worth fetching a number for. Kernels that block over tokens read a
// chunk again from L2, so it is also the largest for more than a few tokens.
constexpr int64_t kChunkBytes = 128 << 10;
// Up to so many, waiting for memory counts: what a kernel fetches ahead is its own next rows.
constexpr int32_t kFewTokens = 32;
// Up to so many, all tiers read a share's quarters side by side
// (kernels/x86/linear_quant_decode.inc.h), and so much of each is fetched ahead of a loop: what a
// core can fetch in the microseconds between two loops.
constexpr int32_t kStreamedTokens = 3;
constexpr int32_t kAheadBytes = 16 << 10;

// `rows` of the matrix, with at most `most` in a chunk.
RowShares shares_of(const WeightMatrix& matrix, int64_t rows, int32_t n_tokens, int threads,
                    int64_t most) {
  const int64_t row_bytes = std::max<int64_t>(
      1, static_cast<int64_t>(matrix.total_bytes()) / std::max<int64_t>(1, matrix.rows));
  const int64_t by_bytes = kChunkBytes / row_bytes / kernels::kRowTile;
  // At least four chunks a thread, where there are so many tiles.
  const int64_t by_share = rows / (4 * threads) / kernels::kRowTile;
  const int64_t least = std::max<int64_t>(1, std::min(by_bytes, by_share));
  most = std::max<int64_t>(1, most / kernels::kRowTile);
  return {rows, threads, least, n_tokens <= kFewTokens ? most : std::min(least, most)};
}

kernels::Matrix kernel_matrix(const WeightMatrix& matrix) {
  return {kernel_format(matrix.format),
          static_cast<int32_t>(matrix.rows),
          static_cast<int32_t>(matrix.cols),
          static_cast<int32_t>(matrix.group),
          matrix.data,
          matrix.scales,
          matrix.zero_points};
}

// Rows [begin, begin + count) as a matrix of their own.
kernels::Matrix row_slice(const WeightMatrix& matrix, int64_t begin, int64_t count) {
  kernels::Matrix slice = kernel_matrix(matrix);
  const int64_t groups = matrix.groups();
  slice.rows = static_cast<int32_t>(count);
  slice.data = matrix.data + static_cast<uint64_t>(begin) * matrix.row_bytes();
  if (matrix.scales) slice.scales = matrix.scales + begin * groups;
  const int64_t zero_point_bytes = matrix.format == WeightFormat::kU4 ? (groups + 1) / 2 : groups;
  if (matrix.zero_points) slice.zero_points = matrix.zero_points + begin * zero_point_bytes;
  return slice;
}

}  // namespace

kernels::Format kernel_format(WeightFormat format) { return static_cast<kernels::Format>(format); }
static_assert(static_cast<int>(WeightFormat::kF32) == static_cast<int>(kernels::Format::kF32) &&
              static_cast<int>(WeightFormat::kU4) == static_cast<int>(kernels::Format::kU4));

LinearRunner::Kernel LinearRunner::kernel(WeightFormat format) const {
  switch (format) {
    case WeightFormat::kF32:
      return table_.linear_f32;
    case WeightFormat::kF16:
      return table_.linear_f16;
    case WeightFormat::kBF16:
      return table_.linear_bf16;
    case WeightFormat::kU8:
      return table_.linear_u8;
    case WeightFormat::kU4:
      break;
  }
  return table_.linear_u4;
}

const void* LinearRunner::input(const WeightMatrix& matrix, const float* x) const {
  return is_quantized(matrix.format) ? static_cast<const void*>(workspace_.packed) : x;
}

void LinearRunner::pack(const WeightMatrix& matrix, const float* x, int32_t n_tokens,
                        int32_t planes, int32_t begin, int32_t end) const {
  if (!is_quantized(matrix.format)) return;
  const auto pack = matrix.format == WeightFormat::kU8 ? table_.pack_u8 : table_.pack_u4;
  pack(x, n_tokens, static_cast<int32_t>(matrix.cols), planes, begin, end, workspace_.packed);
}

// Where a thread's first share begins.
ReadAhead LinearRunner::ahead(NextMatrix next, int32_t n_tokens, int thread) const {
  ReadAhead ahead;
  if (!next.matrix || n_tokens > kStreamedTokens) return ahead;
  const WeightMatrix& matrix = *next.matrix;
  const int64_t rows = next.gated ? matrix.rows / 2 : matrix.rows,
                most = next.gated ? workspace_.gate_up_floats() / (2 * n_tokens) : rows;
  const RowShares shares = shares_of(matrix, rows, n_tokens, pool_.size(), most);
  if (thread >= shares.count()) return ahead;
  const auto [begin, end] = shares[thread];
  const int64_t streams = static_cast<int64_t>(ahead.streams.size()),
                part = (end - begin + streams - 1) / streams;
  for (int64_t i = 0; i < streams && begin + i * part < end; ++i) {
    const int64_t bytes =
        std::min(part, end - begin - i * part) * static_cast<int64_t>(matrix.row_bytes());
    ahead.streams[static_cast<size_t>(i)] = {
        matrix.data + static_cast<uint64_t>(begin + i * part) * matrix.row_bytes(),
        static_cast<int32_t>(std::min<int64_t>(bytes, kAheadBytes) / 64)};
  }
  return ahead;
}

void LinearRunner::run(const WeightMatrix& matrix, const float* x, int32_t n_tokens, int32_t planes,
                       float* y, int64_t y_stride, NextMatrix next) const {
  const Kernel linear = kernel(matrix.format);
  const RowShares shares = shares_of(matrix, matrix.rows, n_tokens, pool_.size(), matrix.rows);
  pool_.parallel_for(
      shares.count(),
      [&](int64_t chunk, int thread) {
        const auto [begin, end] = shares[chunk];
        linear({kernel_matrix(matrix), input(matrix, x), n_tokens, planes, y, y_stride,
                static_cast<int32_t>(begin), static_cast<int32_t>(end),
                workspace_.linear_scratch(thread)});
      },
      [&](int thread) { return ahead(next, n_tokens, thread); });
}

void LinearRunner::run_gated(const WeightMatrix& matrix, const float* x, int32_t n_tokens,
                             int32_t planes, float* y, NextMatrix next) const {
  const Kernel linear = kernel(matrix.format);
  const int64_t half = matrix.rows / 2;
  // Gate and up rows of a chunk meet in a strip [n_tokens][2 * rows] of the thread's own, which
  // stays in its L2.
  const int64_t strip_rows = workspace_.gate_up_floats() / (2 * n_tokens);
  const RowShares shares = shares_of(matrix, half, n_tokens, pool_.size(), strip_rows);
  pool_.parallel_for(
      shares.count(),
      [&](int64_t chunk, int thread) {
        const auto [begin, end] = shares[chunk];
        const int64_t count = end - begin;
        float* const strip = workspace_.gate_up(thread);
        for (int64_t part = 0; part < 2; ++part)
          linear({row_slice(matrix, part * half + begin, count), input(matrix, x), n_tokens, planes,
                  strip + part * count, 2 * count, 0, static_cast<int32_t>(count),
                  workspace_.linear_scratch(thread)});
        for (int32_t t = 0; t < n_tokens; ++t) {
          const float* gate = strip + t * 2 * count;
          table_.silu_mul(gate, gate + count, static_cast<int32_t>(count), y + t * half + begin);
        }
      },
      [&](int thread) { return ahead(next, n_tokens, thread); });
}

}  // namespace phial
