// SPDX-License-Identifier: Apache-2.0
// linear_u8 and linear_u4 for many tokens on AMX tiles, with the order of float operations that
// linear_quant_any.inc.h states. As in linear_quant_prefill.inc.h, 48 rows x 256 columns of codes
// are unpacked and transposed once and meet all tokens; they lie there as TDPBSSD wants its second
// operand. The first one is packed activations as they are, 16 planes of tokens at a time.
//
// The tile unit makes a block's integer products, 16 planes x 16 rows x 32 columns an instruction;
// the float part is the vector unit's, from a piece of L1: a conversion and a fused product per
// token and 16 rows. Local to the file that includes it.
#pragma once

#include <stdint.h>

#include "kernels/x86/tables.h"
#include "kernels/x86/tile16.inc.h"
#include "kernels/x86/tiles.inc.h"

namespace phial::kernels {
namespace {

constexpr int32_t kTilePlanes = 16, kTileWidth = 16;  // of an integer tile: planes, rows of weights

// Do tiles do these? pack and linear have to agree on it: the packed order differs.
inline bool tiles_take(int32_t n_tokens, int32_t planes) {
  return static_cast<int64_t>(n_tokens) * planes >= kTilePlanes;
}

// The places that blocks have in a packed line, in both formats: a block's 32 codes lie together,
// while avx512vnni's u4 has them in two places. In the block the order is the format's own.
constexpr Format kTilesOrder = Format::kU8;

// tmm0-3: a line's four blocks of activations; tmm4-5: sums; tmm6-7: weights.
constexpr int kSums = 4, kWeights = 6;
constexpr TileConfig tiles_of_linear() {
  TileConfig config;
  for (int i = 0; i < kTileRegisters; i++) {
    config.rows[i] = i < kWeights ? kTilePlanes : kSteps;
    config.row_bytes[i] = i < kSums ? kActBlock : kTileWidth * 4;
  }
  return config;
}
constexpr TileConfig kTilesOfLinear = tiles_of_linear();

struct TilesScratch {
  PrefillScratch prefill;
  alignas(64) int32_t dots[2][kTilePlanes][kTileWidth];
};
static_assert(sizeof(TilesScratch) <= 116 * 1024,
              "linear_scratch_bytes() in dispatch.cc promises no more");

// What unpack_chunk asks of a tile: codes lose their symmetric zero point and fit int8.
struct SignedCodes {
  static constexpr int32_t bias(Format format) { return symmetric_zero(format); }
  template <Format kFormat>
  static void unpack(const Matrix& w, int32_t row, int32_t row_end, int32_t block, int32_t n,
                     PrefillScratch& s) {
    unpack_blocks16<kFormat, bias(kFormat), false>(w, row, row_end, block, n, s);
  }
};

// u4's zero points too: a code less any zero point fits int8, and the float part needn't know.
inline void take_off_zeros(int32_t blocks, PrefillScratch& s) {
  const __m512i first_bytes =
      _mm512_broadcast_i32x4(_mm_setr_epi8(0, 0, 0, 0, 4, 4, 4, 4, 8, 8, 8, 8, 12, 12, 12, 12));
  for (int32_t b = 0; b < blocks; b++)
    for (int32_t r = 0; r < kTileRows; r += kTileWidth) {
      const __m512i zeros = _mm512_shuffle_epi8(_mm512_load_si512(s.zeros[b] + r), first_bytes);
      for (int32_t step = 0; step < kSteps; step++) {
        uint8_t* codes = s.codes[b][step][r];
        _mm512_store_si512(codes, _mm512_sub_epi8(_mm512_load_si512(codes), zeros));
      }
    }
}

// A line's four blocks of 16 planes and 48 rows. Those past the last column add zeros.
struct LineInput {
  const uint8_t* codes;  // [kLineBlocks][kSteps][kTileRows][4]
  const float* scales;   // [kLineBlocks][kTileRows]
  const int32_t* zeros;  // [kLineBlocks][kTileRows], less the symmetric zero point
  const int8_t* acts;    // [kTilePlanes][kLineBytes]
  const float* act_scales;
  const int32_t* offsets;  // [kTilePlanes][kLineBlocks]
  int32_t rows;
  uint32_t group_ends;  // as in TileInput
  bool goes_on, is_cut;
};

// One line: T tokens of P planes; inner and sums are rows kTileRows apart. kZeros: of u8, where a
// zero point's share is added to the sums of products.
template <bool kZeros, int P>
struct TileLine {
  static constexpr int T = kTilePlanes / P;
  using Dots = int32_t (&)[2][kTilePlanes][kTileWidth];

  template <int kBlock>
  static PHIAL_INLINE void multiply(const uint8_t* codes) {
    constexpr int kC = kSums + kBlock % 2, kB = kWeights + kBlock % 2;
    tile_load<kB>(codes + kBlock * kSteps * kStepBytes, kStepBytes);
    tile_zero<kC>();
    tile_add_products<kC, kBlock, kB>();
  }

  template <int kBlock>
  static PHIAL_INLINE void store(Dots dots) {
    tile_store<kSums + kBlock % 2>(dots[kBlock % 2], kTileWidth * 4);
  }

  template <int kBlock>
  static PHIAL_INLINE void add(const LineInput& in, int32_t r, Dots dots, __m512* part,
                               float* sums) {
    // A twelfth of the next tokens' line, which has 12 of these steps.
    const int8_t* next =
        in.acts + kTilePlanes * kLineBytes + (r / kTileWidth * kLineBlocks + kBlock) * (3 * 64);
    PHIAL_UNROLL
    for (int i = 0; i < 3; i++) Tile16::prefetch(next + i * 64);
    const auto dot = [&](int plane) PHIAL_INLINE_LAMBDA {
      const __m512i d = _mm512_load_si512(dots[kBlock % 2][plane]);
      if constexpr (!kZeros) return d;
      const __m512i offset = _mm512_set1_epi32(in.offsets[plane * kLineBlocks + kBlock]);
      return _mm512_add_epi32(
          d, Tile16::first_sum<Format::kU8, true>(offset, in.zeros + kBlock * kTileRows + r));
    };
    PHIAL_UNROLL
    for (int t = 0; t < T; t++) {
      __m512i d = dot(t * P);
      if constexpr (P == 2) d = _mm512_add_epi32(Tile16::times_plane_base16(d), dot(t * P + 1));
      const __m512 scale = _mm512_set1_ps(in.act_scales[t * P * kLineBlocks + kBlock]);
      part[t] = _mm512_fmadd_ps(_mm512_cvtepi32_ps(d), scale, part[t]);
    }
    if (in.group_ends >> kBlock & 1) {
      const __m512 scale = _mm512_load_ps(in.scales + kBlock * kTileRows + r);
      PHIAL_UNROLL
      for (int t = 0; t < T; t++) {
        float* s = sums + t * kTileRows + r;
        _mm512_store_ps(s, _mm512_fmadd_ps(part[t], scale, _mm512_load_ps(s)));
        part[t] = _mm512_setzero_ps();
      }
    }
  }

  static void run(const LineInput& in, Dots dots, float* inner, float* sums) {
    tile_load<0>(in.acts, kLineBytes);
    tile_load<1>(in.acts + kActBlock, kLineBytes);
    tile_load<2>(in.acts + 2 * kActBlock, kLineBytes);
    tile_load<3>(in.acts + 3 * kActBlock, kLineBytes);
    multiply<0>(in.codes);
    for (int32_t r = 0; r < in.rows; r += kTileWidth) {
      const uint8_t* codes = in.codes + r * 4;
      __m512 part[T];  // the group's sums so far
      PHIAL_UNROLL
      for (int t = 0; t < T; t++)
        part[t] = in.goes_on ? _mm512_load_ps(inner + t * kTileRows + r) : _mm512_setzero_ps();
      // A block's products run while the float part of the one before does.
      store<0>(dots);
      multiply<1>(codes);
      add<0>(in, r, dots, part, sums);
      store<1>(dots);
      multiply<2>(codes);
      add<1>(in, r, dots, part, sums);
      store<2>(dots);
      multiply<3>(codes);
      add<2>(in, r, dots, part, sums);
      store<3>(dots);
      if (r + kTileWidth < in.rows) multiply<0>(codes + kTileWidth * 4);
      add<3>(in, r, dots, part, sums);
      if (!in.is_cut) continue;
      PHIAL_UNROLL
      for (int t = 0; t < T; t++) _mm512_store_ps(inner + t * kTileRows + r, part[t]);
    }
  }
};

// Rows [row, row_end), at most 48, for n tokens from t0 on. Tokens come in tiles of T, the last of
// which also has tokens of the one before where fewer are left: the same bits, written twice.
template <Format kFormat, bool kAsymmetric, int P>
void tiles_rows(const Linear& l, const PackedActs& acts, const Groups& groups, int32_t row,
                int32_t row_end, int32_t t0, int32_t n, TilesScratch& scratch) {
  using Line = TileLine<kAsymmetric && kFormat == Format::kU8, P>;
  PrefillScratch& s = scratch.prefill;
  const int32_t blocks = act_blocks(l.w.cols), tiles = (n + Line::T - 1) / Line::T;
  const auto first_token = [&](int32_t tile) {
    const int32_t t = t0 + tile * Line::T;
    return t < l.n_tokens - Line::T ? t : l.n_tokens - Line::T;
  };
  s.scales_of = -1;
  __builtin_memset(s.sums, 0, static_cast<size_t>(tiles * Line::T) * sizeof s.sums[0]);
  for (int32_t block = 0; block < blocks; block += kChunkBlocks) {
    const int32_t chunk = blocks - block < kChunkBlocks ? blocks - block : kChunkBlocks;
    unpack_chunk<SignedCodes, kFormat, kAsymmetric>(l.w, groups, row, row_end, block, chunk, s);
    if constexpr (kAsymmetric && kFormat == Format::kU4) take_off_zeros(chunk, s);
    const int32_t lines = act_lines(chunk * kActBlock);
    LineInput inputs[kChunkBlocks / kLineBlocks] = {};
    for (int32_t b = 0, i = 0; i < lines; b += kLineBlocks, i++) {
      LineInput& in = inputs[i];
      in.codes = s.codes[b][0][0];
      in.scales = s.scales[b];
      in.zeros = s.zeros[b];
      in.rows = row_end - row;
      set_group_ends(groups, block + b, chunk - b < kLineBlocks ? chunk - b : kLineBlocks, in);
    }
    for (int32_t tile = 0; tile < tiles; tile++)
      for (int32_t i = 0; i < lines; i++) {
        LineInput& in = inputs[i];
        const size_t line =
            acts.line(block + i * kLineBlocks, static_cast<size_t>(first_token(tile)) * P);
        in.acts = acts.lines + line * kLineBytes;
        in.act_scales = acts.scales + line * kLineBlocks;
        in.offsets = acts.offsets + line * kLineBlocks;
        Line::run(in, scratch.dots, s.inner[tile * Line::T], s.sums[tile * Line::T]);
      }
  }
  for (int32_t tile = 0; tile < tiles; tile++)
    for (int32_t t = 0; t < Line::T; t++)
      __builtin_memcpy(l.y + (first_token(tile) + t) * l.y_stride + row, s.sums[tile * Line::T + t],
                       static_cast<size_t>(row_end - row) * sizeof(float));
}

template <Format kFormat, bool kAsymmetric, int P>
void linear_quant_prefill_tiles(const Linear& l) {
  static_assert(kTokenBlock % kTilePlanes == 0);
  const PackedActs acts = packed_acts(l.x, l.n_tokens, P, l.w.cols);
  const Groups groups(l.w);
  TilesScratch& s = *static_cast<TilesScratch*>(l.scratch);
  tiles_begin(kTilesOfLinear);
  for (int32_t row = l.row_begin; row < l.row_end; row += kTileRows)
    for (int32_t t0 = 0; t0 < l.n_tokens; t0 += kTokenBlock)
      tiles_rows<kFormat, kAsymmetric, P>(
          l, acts, groups, row, l.row_end - row < kTileRows ? l.row_end : row + kTileRows, t0,
          l.n_tokens - t0 < kTokenBlock ? l.n_tokens - t0 : kTokenBlock, s);
  tiles_end();
}

template <Format kFormat>
void linear_quant_tiles(const Linear& l) {
  if (!tiles_take(l.n_tokens, l.planes))
    return (kFormat == Format::kU8 ? kAvx512VnniTable.linear_u8 : kAvx512VnniTable.linear_u4)(l);
  if (!groups_hold_blocks(l.w)) return linear_quant_any<kFormat, kTilesOrder>(l);
  const bool asymmetric = l.w.zero_points != nullptr;
  if (l.planes == 2)
    return asymmetric ? linear_quant_prefill_tiles<kFormat, true, 2>(l)
                      : linear_quant_prefill_tiles<kFormat, false, 2>(l);
  return asymmetric ? linear_quant_prefill_tiles<kFormat, true, 1>(l)
                    : linear_quant_prefill_tiles<kFormat, false, 1>(l);
}

// As avx512vnni packs; for tiles, u4's lines then come into kTilesOrder.
template <Format kFormat>
void pack_for_tiles(const float* x, int32_t n_tokens, int32_t cols, int32_t planes, int32_t begin,
                    int32_t end, void* packed) {
  (kFormat == Format::kU8 ? kAvx512VnniTable.pack_u8 : kAvx512VnniTable.pack_u4)(
      x, n_tokens, cols, planes, begin, end, packed);
  if (kFormat == kTilesOrder || !tiles_take(n_tokens, planes)) return;
  const PackedActs acts = packed_acts(packed, n_tokens, planes, cols);
  for (int32_t block = 0; block < act_lines(cols) * kLineBlocks; block += kLineBlocks)
    for (int32_t plane = begin * planes; plane < end * planes; plane++) {
      int8_t* const line = const_cast<int8_t*>(acts.lines) +
                           acts.line(block, static_cast<size_t>(plane)) * kLineBytes;
      // four blocks' 16 even columns and their 16 odd ones: by turns
      const __m512i even = _mm512_loadu_si512(line), odd = _mm512_loadu_si512(line + 64),
                    low = _mm512_setr_epi64(0, 1, 8, 9, 2, 3, 10, 11),
                    high = _mm512_setr_epi64(4, 5, 12, 13, 6, 7, 14, 15);
      _mm512_storeu_si512(line, _mm512_permutex2var_epi64(even, low, odd));
      _mm512_storeu_si512(line + 64, _mm512_permutex2var_epi64(even, high, odd));
    }
}

// 16 x 16 x 64 products an instruction, in as many sums as hide its latency of 52 cycles behind its
// 16 (Intel's optimization manual, chapter on AMX).
inline uint64_t int8_peak_tiles(uint64_t rounds) {
  constexpr int kPeakSums = 4;
  static constexpr TileConfig kConfig = [] {
    TileConfig config;
    for (int i = 0; i < kPeakSums + 2; i++) {
      config.rows[i] = kTileMaxRows;
      config.row_bytes[i] = kTileMaxBytes;
    }
    return config;
  }();
  alignas(64) static constexpr int8_t kRow[kTileMaxBytes] = {1, 2, 3, 4, 5, 6, 7};
  tiles_begin(kConfig);
  tile_load<4>(kRow, 0);
  tile_load<5>(kRow, 0);
  for (uint64_t round = 0; round < rounds; round++) {
    tile_add_products<0, 4, 5>();
    tile_add_products<1, 4, 5>();
    tile_add_products<2, 4, 5>();
    tile_add_products<3, 4, 5>();
  }
  tiles_end();
  return rounds * kPeakSums * (kTileMaxRows * 16 * kTileMaxBytes * 2);
}

}  // namespace
}  // namespace phial::kernels
