// SPDX-License-Identifier: Apache-2.0
// linear_u8 and linear_u4 for many tokens. Lanes run along the rows: 48 rows x 256 columns of codes
// are unpacked and transposed once into L1 and meet all tokens there, four columns (a dword)
// broadcast at a time. No horizontal sums; the float part has the order that linear_quant_any.inc.h
// states. Local to the file that includes it.
//
// The register tile is a struct that the tier names (tile8.inc.h, tile16.inc.h):
//   kLanes, kTokens (tile height), kVectors (tile width in vectors),
//   kPacked: u4's codes stay two in a byte in the scratch and come apart in the tile,
//   kFetchBlocks: how often later codes are fetched (CodesFetch): 1: by the tile, with each block;
//   kChunkBlocks: before each tile; 0: never,
//   static constexpr int32_t bias(Format): what unpack takes off the codes,
//   template <Format, bool kAsymmetric, int T, int P> static void run(const TileInput&, float*
//   inner, float* sums)
// which does T tokens of P planes, T * P <= kTokens; inner and sums are rows kTileRows apart, and
//   template <Format> static void unpack(const Matrix&, row, row_end, block, n, PrefillScratch&)
// which puts n blocks' codes of kTileRows rows into the scratch (anything for those from row_end
// on).
#pragma once

#include <stdint.h>

#include "kernels/linear_quant_any.inc.h"
#include "kernels/x86/codes_fetch.inc.h"
#include "kernels/x86/dot.inc.h"

namespace phial::kernels {
namespace {

constexpr int32_t kTokenBlock = 256;  // tokens that share one unpacking: 2 x 48 KiB of sums, in L2
constexpr int32_t kScaleGroups = 8;   // whose scales are transposed at a time
constexpr int32_t kSteps = kActBlock / 4;  // dwords of a block
constexpr int32_t kStepBytes = kTileRows * 4;

struct PrefillScratch {
  // Two in a byte: the first half of a block's steps, each with another one in the high bits.
  alignas(64) uint8_t codes[kChunkBlocks][kSteps][kTileRows][4];
  alignas(64) float scales[kChunkBlocks][kTileRows];   // of the group that ends with the block
  alignas(64) int32_t zeros[kChunkBlocks][kTileRows];  // zero point less the tile's bias, as 16
                                                       // bits (the high half is 0)
  alignas(64) float inner[kTokenBlock][kTileRows];     // of groups that go over several chunks
  alignas(64) float sums[kTokenBlock][kTileRows];
  alignas(64) float group_scales[kScaleGroups][kTileRows];
  int32_t scales_of;  // the first group in group_scales; -1: none of these rows
};
static_assert(sizeof(PrefillScratch) <= 114 * 1024,
              "linear_scratch_bytes() in dispatch.cc promises no more");

// What one register tile reads. Pointers are to the tile's first row and token.
struct TileInput {
  const uint8_t* codes;  // [blocks][kSteps][kTileRows][4]
  const float* scales;   // [blocks][kTileRows]
  const int32_t* zeros;  // [blocks][kTileRows]
  const int8_t* lines;   // packed activations from the first block's line on
  const float* act_scales;
  const int32_t* offsets;
  int64_t stride;  // lines
  int32_t blocks;
  CodesFetch* fetch;
  uint32_t group_ends;  // bit b: the group ends with block b
  bool goes_on;         // block 0 continues a group, whose sums so far are in `inner`
  bool is_cut;  // the last block's group isn't at its end: `inner` is to be left for the next chunk
};

// Where a tile's blocks are, one after the other. Pointers that are moved on instead of calculated:
// integer instructions share ports and decoders with the products (figures: decision 0005).
template <Format kFormat>
struct TileCursor {
  const uint8_t* codes;     // [kSteps][kTileRows][4]
  const float* scales;      // [kTileRows]
  const int32_t* zeros;     // [kTileRows]
  const int8_t* acts;       // the first token's plane; the next is kLineBytes further
  const float* act_scales;  // kLineBlocks apart
  const int32_t* offsets;   // kLineBlocks apart
  uint32_t group_ends;      // bit 0: this block's

  explicit PHIAL_INLINE TileCursor(const TileInput& in)
      : codes(in.codes),
        scales(in.scales),
        zeros(in.zeros),
        acts(in.lines),
        act_scales(in.act_scales),
        offsets(in.offsets),
        group_ends(in.group_ends) {}
  PHIAL_INLINE bool ends_group() const { return group_ends & 1; }
  PHIAL_INLINE void next_block() {
    codes += kSteps * kStepBytes;
    scales += kTileRows;
    zeros += kTileRows;
    acts += block_in_line(kFormat, 1);
    act_scales++;
    offsets++;
    group_ends >>= 1;
  }
  // After a line's last block.
  PHIAL_INLINE void next_line(int64_t stride) {
    acts += stride * kLineBytes - kLineBlocks * block_in_line(kFormat, 1);
    act_scales += (stride - 1) * kLineBlocks;
    offsets += (stride - 1) * kLineBlocks;
  }
};

// Where the four activations of a step lie behind the block's first ones.
constexpr int32_t step_in_block(Format format, int32_t step) {
  return step < kSteps / 2 ? step * 4 : half_distance(format) + (step - kSteps / 2) * 4;
}

// A matrix's groups in activation blocks.
struct Groups {
  int32_t count, blocks;  // in a row; of a group
  explicit Groups(const Matrix& w)
      : count(w.cols / w.group),
        blocks(w.group == w.cols ? act_blocks(w.cols) : w.group / kActBlock) {}
  int32_t of_block(int32_t block) const { return block / blocks; }
};

// Where groups end in blocks [block, block + n): sets what TileInput calls so.
template <class Input>
void set_group_ends(const Groups& groups, int32_t block, int32_t n, Input& in) {
  int32_t in_group = block - groups.of_block(block) * groups.blocks;  // blocks so far
  in.group_ends = 0;
  in.goes_on = in_group != 0;
  for (int32_t b = 0; b < n; b++)
    if (++in_group == groups.blocks) {
      in.group_ends |= 1u << b;
      in_group = 0;
    }
  in.is_cut = in_group != 0;
}

// 8 x 8 words: r[i] becomes column i.
PHIAL_INLINE void transpose_words(__m128i* r) {
  __m128i t[8], u[8];
  PHIAL_UNROLL
  for (int i = 0; i < 8; i += 2) {
    t[i] = _mm_unpacklo_epi16(r[i], r[i + 1]);
    t[i + 1] = _mm_unpackhi_epi16(r[i], r[i + 1]);
  }
  PHIAL_UNROLL
  for (int i = 0; i < 8; i += 4) {
    u[i] = _mm_unpacklo_epi32(t[i], t[i + 2]);
    u[i + 1] = _mm_unpackhi_epi32(t[i], t[i + 2]);
    u[i + 2] = _mm_unpacklo_epi32(t[i + 1], t[i + 3]);
    u[i + 3] = _mm_unpackhi_epi32(t[i + 1], t[i + 3]);
  }
  PHIAL_UNROLL
  for (int i = 0; i < 4; i++) {
    r[2 * i] = _mm_unpacklo_epi64(u[i], u[i + 4]);
    r[2 * i + 1] = _mm_unpackhi_epi64(u[i], u[i + 4]);
  }
}

// Scales of rows [row, row + 48) in kScaleGroups groups from `group` on, or as many as there are.
// Those of rows from `row_end` on are of no matter.
inline void load_scales(const Matrix& w, int64_t groups, int32_t row, int32_t row_end,
                        int32_t group, float (*scales)[kTileRows]) {
  const int64_t n = groups - group < kScaleGroups ? groups - group : kScaleGroups;
  for (int32_t i = 0; i < kTileRows && row + i < row_end; i += 8) {
    __m128i r[8];
    const uint16_t* const p = w.scales + (row + i) * groups + group;
    if (n == kScaleGroups && row + i + 8 <= row_end) {
      PHIAL_UNROLL
      for (int j = 0; j < 8; j++)
        r[j] = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p + j * groups));
    } else {
      alignas(16) uint16_t copy[8][kScaleGroups] = {};
      for (int32_t j = 0; j < 8 && row + i + j < row_end; j++)
        __builtin_memcpy(copy[j], p + j * groups, static_cast<size_t>(n) * sizeof copy[j][0]);
      PHIAL_UNROLL
      for (int j = 0; j < 8; j++) r[j] = _mm_load_si128(reinterpret_cast<const __m128i*>(copy[j]));
    }
    transpose_words(r);
    PHIAL_UNROLL
    for (int g = 0; g < kScaleGroups; g++) _mm256_store_ps(scales[g] + i, _mm256_cvtph_ps(r[g]));
  }
}

// As many of the scales of rows from `row` on as load_scales takes at a time. They lie together.
inline void fetch_scales(const Matrix& w, int64_t groups, int32_t row, int32_t group) {
  const char* p = reinterpret_cast<const char*>(w.scales + row * groups + group * kTileRows);
  PHIAL_UNROLL
  for (int32_t i = 0; i < kScaleGroups * kTileRows * 2; i += 64) _mm_prefetch(p + i, _MM_HINT_T0);
}

// Zero points of rows [row, row + 48) in a group less the bias.
inline void load_zero_points(const Matrix& w, int32_t bias, int32_t row, int32_t row_end,
                             int32_t group, int32_t* zeros) {
  for (int32_t i = 0; i < kTileRows; i++) {
    const int64_t r = row + i < row_end ? row + i : row_end - 1;
    zeros[i] = (zero_point(w, r, group) - bias) & 0xFFFF;
  }
}

// Blocks [block, block + n) of rows [row, row + 48). Rows from `row_end` on are of no matter.
template <class Tile, Format kFormat, bool kAsymmetric>
void unpack_chunk(const Matrix& w, const Groups& g, int32_t row, int32_t row_end, int32_t block,
                  int32_t n, PrefillScratch& s) {
  Tile::template unpack<kFormat>(w, row, row_end, block, n, s);
  int32_t group = g.of_block(block), left = (group + 1) * g.blocks - block;
  for (int32_t b = 0; b < n; b++) {
    if (kAsymmetric && (b == 0 || left == g.blocks))
      load_zero_points(w, Tile::bias(kFormat), row, row_end, group, s.zeros[b]);
    else if (kAsymmetric)
      __builtin_memcpy(s.zeros[b], s.zeros[b - 1], sizeof s.zeros[b]);
    if (--left > 0) continue;
    const int32_t first = group / kScaleGroups * kScaleGroups;
    if (s.scales_of != first) {
      load_scales(w, g.count, row, row_end, first, s.group_scales);
      fetch_scales(w, g.count, row + kTileRows, first);
      s.scales_of = first;
    }
    __builtin_memcpy(s.scales[b], s.group_scales[group - first], sizeof s.scales[b]);
    group++;
    left = g.blocks;
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
PHIAL_INLINE void prefill_rows(const Linear& l, const PackedActs& acts, const Groups& groups,
                               int32_t row, int32_t row_end, int32_t t0, int32_t n,
                               PrefillScratch& s) {
  constexpr int32_t kWidth = Tile::kVectors * Tile::kLanes, kHeight = Tile::kTokens / P;
  const int32_t blocks = act_blocks(l.w.cols);
  // An even split: 33 tokens are 6 tiles of 4 and 3 of 3, never one of 1.
  const int32_t tiles = (n + kHeight - 1) / kHeight, height = n / tiles, higher = n % tiles;
  s.scales_of = -1;
  __builtin_memset(s.sums, 0, static_cast<size_t>(n) * sizeof s.sums[0]);
  for (int32_t block = 0; block < blocks; block += kChunkBlocks) {
    const int32_t chunk = blocks - block < kChunkBlocks ? blocks - block : kChunkBlocks;
    unpack_chunk<Tile, kFormat, kAsymmetric>(l.w, groups, row, row_end, block, chunk, s);
    TileInput in{};
    in.stride = static_cast<int64_t>(acts.stride);
    in.blocks = chunk;
    set_group_ends(groups, block, chunk, in);
    CodesFetch fetch = fetch_later<Tile>(l.w, row, block, chunk, tiles);
    in.fetch = &fetch;
    for (int32_t i = 0, t = 0; i < tiles; i++) {
      const int32_t tokens = height + (i < higher);
      const size_t line = acts.line(block, static_cast<size_t>(t0 + t) * P);
      in.lines = acts.lines + line * kLineBytes;
      in.act_scales = acts.scales + line * kLineBlocks;
      in.offsets = acts.offsets + line * kLineBlocks;
      for (int32_t r = 0; r < row_end - row; r += kWidth) {
        in.codes = s.codes[0][0][r];
        in.scales = s.scales[0] + r;
        in.zeros = s.zeros[0] + r;
        if constexpr (Tile::kFetchBlocks == kChunkBlocks) fetch.template step<kFormat>();
        tile_of<Tile, kFormat, kAsymmetric, kHeight, P>(tokens, in, s.inner[t] + r, s.sums[t] + r);
      }
      t += tokens;
    }
  }
  for (int32_t t = 0; t < n; t++)
    __builtin_memcpy(l.y + (t0 + t) * l.y_stride + row, s.sums[t],
                     static_cast<size_t>(row_end - row) * sizeof(float));
}

template <class Tile, Format kFormat, bool kAsymmetric, int P>
void linear_quant_prefill(const Linear& l) {
  const PackedActs acts = packed_acts(l.x, l.n_tokens, P, l.w.cols);
  const Groups groups(l.w);
  PrefillScratch& s = *static_cast<PrefillScratch*>(l.scratch);
  for (int32_t row = l.row_begin; row < l.row_end; row += kTileRows)
    for (int32_t t0 = 0; t0 < l.n_tokens; t0 += kTokenBlock)
      prefill_rows<Tile, kFormat, kAsymmetric, P>(
          l, acts, groups, row, l.row_end - row < kTileRows ? l.row_end : row + kTileRows, t0,
          l.n_tokens - t0 < kTokenBlock ? l.n_tokens - t0 : kTokenBlock, s);
}

}  // namespace
}  // namespace phial::kernels
