// SPDX-License-Identifier: Apache-2.0
// Prefetching of the codes that linear_quant_prefill.inc.h unpacks: which bytes, how early, into
// which cache. Each helper is a hint alone: no result depends on it, and addresses may lie outside
// the matrix. Figures: docs/decisions/0005-kernels.md. Local to the file that includes it.
#pragma once

#include <immintrin.h>
#include <stdint.h>

#include "kernels/packed_layout.inc.h"
#include "kernels/x86/vec8.inc.h"

namespace phial::kernels {
namespace {

constexpr int32_t kTileRows = kRowTile;  // 48: a multiple of both tiles' widths
// Activation blocks (256 columns) unpacked at a time: 12 KiB of L1.
constexpr int32_t kChunkBlocks = 8;
static_assert(kChunkBlocks % kLineBlocks == 0);

constexpr int32_t block_bytes(Format format) { return format == Format::kU8 ? 32 : 16; }

inline int64_t bytes_of_row(const Matrix& w) {
  return w.format == Format::kU8 ? w.cols : w.cols / 2;
}

// From `at` of a row on, where the byte is that is read `distance` bytes later: a row's chunk is
// followed by the same row's next one, and that of the last by the first of the row kTileRows on.
inline int64_t read_later(int64_t at, int64_t distance, int64_t row_bytes) {
  const int64_t ahead = at + distance;
  return ahead < row_bytes ? ahead : ahead + (kTileRows - 1) * row_bytes;
}

// Memory is fetched a little ahead of the codes that are being unpacked, into L1, unless rows are a
// multiple of 4096 bytes apart: they share one set of it, which can't hold so many until they are
// read, and a page of memory each. Then it is fetched into L2 in long pieces, a few rows with each
// chunk. Against the other way: near 1.3, far 1.3 times as fast with 8 tokens.
constexpr int64_t kUnpackAhead = 128;
inline bool fetches_near(const Matrix& w) { return bytes_of_row(w) % 4096 != 0; }

// Part `part` of kParts of what is fetched far with a chunk: of every kFarChunks-th part of the
// rows the bytes of the next kFarChunks chunks.
constexpr int32_t kFarChunks = 4;
template <Format kFormat, int32_t kParts>
PHIAL_INLINE void fetch_far(const Matrix& w, int32_t row, int32_t block, int32_t part) {
  constexpr int32_t kBytes = kFarChunks * kChunkBlocks * block_bytes(kFormat), kLines = kBytes / 64;
  constexpr int32_t kRowsAtATime = kTileRows / kFarChunks, kEach = kRowsAtATime * kLines / kParts;
  static_assert(kTileRows % kFarChunks == 0 && kRowsAtATime * kLines % kParts == 0);
  const int64_t row_bytes = bytes_of_row(w);
  const int64_t now = static_cast<int64_t>(block) * block_bytes(kFormat) / kBytes * kBytes;
  const uint8_t* const from =
      static_cast<const uint8_t*>(w.data) + row * row_bytes + read_later(now, kBytes, row_bytes);
  const int32_t first = block / kChunkBlocks % kFarChunks * kRowsAtATime;
  PHIAL_UNROLL
  for (int32_t i = 0; i < kEach; i++) {
    const int32_t line = part * kEach + i;
    _mm_prefetch(reinterpret_cast<const char*>(from + (first + line / kLines) * row_bytes +
                                               line % kLines * 64),
                 _MM_HINT_T1);
  }
}

// Codes of the chunk after the next, fetched into L2 a few rows at a time while tiles multiply. All
// at once, as unpacking asks for them, they wait for each other and unpacking for them.
struct CodesFetch {
  const char* at;
  int64_t stride;
  int32_t rows, each;  // rows left; of a step

  template <Format kFormat>
  PHIAL_INLINE void step() {
    const int32_t n = each < rows ? each : rows;
    rows -= n;
    for (int32_t i = 0; i < n; i++, at += stride) {
      PHIAL_UNROLL
      for (int32_t byte = 0; byte < kChunkBlocks * block_bytes(kFormat); byte += 64)
        _mm_prefetch(at + byte, _MM_HINT_T1);
    }
  }
};

// While `tiles` tiles of tokens meet blocks [block, block + n) of the rows from `row` on. Tile: see
// linear_quant_prefill.inc.h.
template <class Tile>
CodesFetch fetch_later(const Matrix& w, int32_t row, int32_t block, int32_t n, int32_t tiles) {
  if constexpr (Tile::kFetchBlocks == 0) return {};
  // Far-apart rows are fetched already; for few tokens both together are the faster.
  if (!fetches_near(w) && !Tile::kPacked) return {};
  const int64_t row_bytes = bytes_of_row(w), bytes = block_bytes(w.format);
  const int64_t later = read_later(block * bytes, 2 * kChunkBlocks * bytes, row_bytes);
  const int32_t steps = tiles * (kTileRows / (Tile::kVectors * Tile::kLanes)) *
                        ((n + Tile::kFetchBlocks - 1) / Tile::kFetchBlocks);
  return {static_cast<const char*>(w.data) + row * row_bytes + later, row_bytes, kTileRows,
          (kTileRows + steps - 1) / steps};
}

}  // namespace
}  // namespace phial::kernels
