// SPDX-License-Identifier: Apache-2.0
// linear_u8 and linear_u4 for many tokens. Lanes run along the rows: 48 rows x 256 columns of codes
// are unpacked and transposed once into L1 and meet all tokens there, four columns (a dword)
// broadcast at a time. No horizontal sums; the float part has the order that linear_quant_any.inc.h
// states. Local to the file that includes it.
//
// The register tile is a struct that the tier names (tile8.inc.h, tile16.inc.h):
//   kLanes, kTokens (tile height), kVectors (tile width in vectors), and
//   template <Format, bool kAsymmetric, int T, int P> static void run(const TileInput&, float*
//   inner, float* sums)
// which does T tokens of P planes, T * P <= kTokens; inner and sums are rows kTileRows apart.
#pragma once

#include <stdint.h>

#include "kernels/linear_quant_any.inc.h"
#include "kernels/x86/dot.inc.h"

namespace phial::kernels {
namespace {

constexpr int32_t kTileRows = kRowTile;  // 48: a multiple of both tiles' widths
constexpr int32_t kChunkBlocks =
    8;  // activation blocks (256 columns) unpacked at a time: 12 KiB of L1
constexpr int32_t kTokenBlock = 256;  // tokens that share one unpacking: 2 x 48 KiB of sums, in L2
constexpr int32_t kSteps = kActBlock / 4;  // dwords of a block
constexpr int32_t kStepBytes = kTileRows * 4;

struct PrefillScratch {
  alignas(64) uint8_t codes[kChunkBlocks][kSteps][kTileRows][4];
  alignas(64) float scales[kChunkBlocks][kTileRows];  // of the group that block is in
  alignas(64) int32_t
      zeros[kChunkBlocks][kTileRows];  // zero point less zero_bias, as 16 bits (the high half is 0)
  alignas(64) float inner[kTokenBlock][kTileRows];  // of groups that go over several chunks
  alignas(64) float sums[kTokenBlock][kTileRows];
};
static_assert(sizeof(PrefillScratch) <= 112 * 1024,
              "linear_scratch_bytes() in dispatch.cc promises no more");

// What one register tile reads. Pointers are to the tile's first row and token.
struct TileInput {
  const uint8_t* codes;     // [blocks][kSteps][kTileRows][4]
  const float* scales;      // [blocks][kTileRows]
  const int32_t* zeros;     // [blocks][kTileRows]
  const int8_t* acts;       // [blocks][n_planes][32]
  const float* act_scales;  // [blocks][n_planes]
  const int32_t* offsets;   // [blocks][n_planes]
  int64_t n_planes;         // from one block to the next: the packed activations' stride
  int32_t blocks;
  uint32_t group_ends;  // bit b: the group ends with block b
  bool goes_on;         // block 0 continues a group, whose sums so far are in `inner`
  bool is_cut;  // the last block's group isn't at its end: `inner` is to be left for the next chunk
};

// 8 x 8 dwords: r[i] becomes column i.
PHIAL_INLINE void transpose8(__m256i* r) {
  __m256i t[8], u[8];
  PHIAL_UNROLL
  for (int i = 0; i < 8; i += 2) {
    t[i] = _mm256_unpacklo_epi32(r[i], r[i + 1]);
    t[i + 1] = _mm256_unpackhi_epi32(r[i], r[i + 1]);
  }
  PHIAL_UNROLL
  for (int i = 0; i < 8; i += 4) {
    u[i] = _mm256_unpacklo_epi64(t[i], t[i + 2]);
    u[i + 1] = _mm256_unpackhi_epi64(t[i], t[i + 2]);
    u[i + 2] = _mm256_unpacklo_epi64(t[i + 1], t[i + 3]);
    u[i + 3] = _mm256_unpackhi_epi64(t[i + 1], t[i + 3]);
  }
  PHIAL_UNROLL
  for (int i = 0; i < 4; i++) {
    r[i] = _mm256_permute2x128_si256(u[i], u[i + 4], 0x20);
    r[i + 4] = _mm256_permute2x128_si256(u[i], u[i + 4], 0x31);
  }
}

// 32 bytes of 8 rows, of which only `bytes` belong to the row: 8 dwords a row into `to`, one step
// after the other. u4: the even and odd columns of two blocks.
template <Format kFormat>
PHIAL_INLINE void unpack_rows8(const uint8_t* const* rows, int64_t at, int64_t bytes, uint8_t* to) {
  __m256i r[8];
  if (bytes >= 32) {
    PHIAL_UNROLL
    for (int i = 0; i < 8; i++) {
      r[i] = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(rows[i] + at));
      _mm_prefetch(reinterpret_cast<const char*>(rows[i] + at) + 128, _MM_HINT_T0);
    }
  } else {
    alignas(32) uint8_t copy[8][32] = {};
    PHIAL_UNROLL
    for (int i = 0; i < 8; i++) {
      __builtin_memcpy(copy[i], rows[i] + at, static_cast<size_t>(bytes));
      r[i] = _mm256_load_si256(reinterpret_cast<const __m256i*>(copy[i]));
    }
  }
  transpose8(r);
  PHIAL_UNROLL
  for (int i = 0; i < 8; i++) {
    if constexpr (kFormat == Format::kU8) {
      const __m256i codes =
          zero_bias(kFormat) ? _mm256_xor_si256(r[i], _mm256_set1_epi8(-128)) : r[i];
      _mm256_store_si256(reinterpret_cast<__m256i*>(to + i * kStepBytes), codes);
    } else {
      const __m256i low = _mm256_set1_epi8(15);
      uint8_t* block = to + (i / 4) * kSteps * kStepBytes + (i % 4) * kStepBytes;
      _mm256_store_si256(reinterpret_cast<__m256i*>(block), _mm256_and_si256(r[i], low));
      _mm256_store_si256(reinterpret_cast<__m256i*>(block + kSteps / 2 * kStepBytes),
                         _mm256_and_si256(_mm256_srli_epi16(r[i], 4), low));
    }
  }
}

// Blocks [block, block + n) of rows [row, row + 48), of which those from `row_end` on are stood in
// for by the last one.
template <Format kFormat, bool kAsymmetric>
void unpack_chunk(const Matrix& w, int32_t row, int32_t row_end, int32_t block, int32_t n,
                  PrefillScratch& s) {
  const int64_t row_bytes = kFormat == Format::kU8 ? w.cols : w.cols / 2, groups = w.cols / w.group;
  const int32_t per_load = kFormat == Format::kU8 ? 1 : 2;  // blocks in 32 bytes
  for (int32_t i = 0; i < kTileRows; i += 8) {
    const uint8_t* rows[8];
    for (int j = 0; j < 8; j++) {
      const int64_t r = row + i + j < row_end ? row + i + j : row_end - 1;
      rows[j] = static_cast<const uint8_t*>(w.data) + r * row_bytes;
    }
    for (int32_t b = 0; b < n; b += per_load) {
      const int64_t at =
          static_cast<int64_t>(block + b) * kActBlock * (kFormat == Format::kU8 ? 2 : 1) / 2;
      unpack_rows8<kFormat>(rows, at, row_bytes - at, s.codes[b][0][i]);
    }
  }
  for (int32_t b = 0; b < n; b++) {
    const int32_t group =
        static_cast<int32_t>(static_cast<int64_t>(block + b) * kActBlock / w.group);
    if (b > 0 &&
        group == static_cast<int32_t>(static_cast<int64_t>(block + b - 1) * kActBlock / w.group)) {
      __builtin_memcpy(s.scales[b], s.scales[b - 1], sizeof s.scales[b]);
      if constexpr (kAsymmetric) __builtin_memcpy(s.zeros[b], s.zeros[b - 1], sizeof s.zeros[b]);
      continue;
    }
    for (int32_t i = 0; i < kTileRows; i++) {
      const int64_t r = row + i < row_end ? row + i : row_end - 1;
      s.scales[b][i] = _cvtsh_ss(w.scales[r * groups + group]);
      if constexpr (kAsymmetric)
        s.zeros[b][i] = (zero_point(w, r, group) - zero_bias(kFormat)) & 0xFFFF;
    }
  }
}

template <class Tile, Format kFormat, bool kAsymmetric, int T, int P>
PHIAL_INLINE void tile_of(int n, const TileInput& in, float* inner, float* sums) {
  if constexpr (T > 1) {
    if (n < T) return tile_of<Tile, kFormat, kAsymmetric, T - 1, P>(n, in, inner, sums);
  }
  Tile::template run<kFormat, kAsymmetric, T, P>(in, inner, sums);
}

// Rows [row, row_end), at most 48, for tokens [t0, t0 + n).
template <class Tile, Format kFormat, bool kAsymmetric, int P>
void prefill_rows(const Linear& l, const PackedActs& acts, int32_t row, int32_t row_end, int32_t t0,
                  int32_t n, PrefillScratch& s) {
  constexpr int32_t kWidth = Tile::kVectors * Tile::kLanes, kHeight = Tile::kTokens / P;
  const int32_t blocks = act_blocks(l.w.cols);
  const int32_t group_blocks = l.w.group == l.w.cols ? blocks : l.w.group / kActBlock;
  const int32_t tiles = (n + kHeight - 1) / kHeight;
  __builtin_memset(s.sums, 0, static_cast<size_t>(n) * sizeof s.sums[0]);
  for (int32_t block = 0; block < blocks; block += kChunkBlocks) {
    const int32_t chunk = blocks - block < kChunkBlocks ? blocks - block : kChunkBlocks;
    unpack_chunk<kFormat, kAsymmetric>(l.w, row, row_end, block, chunk, s);
    TileInput in{};
    in.n_planes = static_cast<int64_t>(acts.stride);
    in.blocks = chunk;
    in.goes_on = block % group_blocks != 0;
    in.is_cut = (block + chunk) % group_blocks != 0;
    for (int32_t b = 0; b < chunk; b++)
      if ((block + b + 1) % group_blocks == 0) in.group_ends |= 1u << b;
    for (int32_t i = 0; i < tiles;
         i++) {  // an even split: 128 tokens are 18 tiles of 6 and 4 of 5, never one of 2
      const int32_t low = static_cast<int32_t>(static_cast<int64_t>(i) * n / tiles);
      const int32_t high = static_cast<int32_t>(static_cast<int64_t>(i + 1) * n / tiles);
      const size_t at = static_cast<size_t>(block) * static_cast<size_t>(in.n_planes) +
                        static_cast<size_t>(t0 + low) * P;
      in.acts = acts.codes + at * kActBlock;
      in.act_scales = acts.scales + at;
      in.offsets = acts.offsets + at;
      for (int32_t r = 0; r < row_end - row; r += kWidth) {
        in.codes = s.codes[0][0][r];
        in.scales = s.scales[0] + r;
        in.zeros = s.zeros[0] + r;
        tile_of<Tile, kFormat, kAsymmetric, kHeight, P>(high - low, in, s.inner[low] + r,
                                                        s.sums[low] + r);
      }
    }
  }
  for (int32_t t = 0; t < n; t++)
    __builtin_memcpy(l.y + (t0 + t) * l.y_stride + row, s.sums[t],
                     static_cast<size_t>(row_end - row) * sizeof(float));
}

template <class Tile, Format kFormat, bool kAsymmetric, int P>
void linear_quant_prefill(const Linear& l) {
  const PackedActs acts = packed_acts(l.x, l.n_tokens, P, l.w.cols);
  PrefillScratch& s = *static_cast<PrefillScratch*>(l.scratch);
  for (int32_t row = l.row_begin; row < l.row_end; row += kTileRows)
    for (int32_t t0 = 0; t0 < l.n_tokens; t0 += kTokenBlock)
      prefill_rows<Tile, kFormat, kAsymmetric, P>(
          l, acts, row, l.row_end - row < kTileRows ? l.row_end : row + kTileRows, t0,
          l.n_tokens - t0 < kTokenBlock ? l.n_tokens - t0 : kTokenBlock, s);
}

}  // namespace
}  // namespace phial::kernels
