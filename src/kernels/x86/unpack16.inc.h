// SPDX-License-Identifier: Apache-2.0
// Codes as linear_quant_prefill.inc.h wants them, transposed on zmm registers: 64 bytes of 16 rows
// at a time, a cache line each. Local to the file that includes it.
#pragma once

#include <stdint.h>

#include "kernels/x86/unpack8.inc.h"

namespace phial::kernels {
namespace {

// 16 x 16 dwords: r[i] becomes column i.
PHIAL_INLINE void transpose16(__m512i* r) {
  __m512i q[4][4];  // q[i][c], 128-bit lane j: column 4 * j + c of rows 4 * i ...
  PHIAL_UNROLL
  for (int i = 0; i < 4; i++) {
    const __m512i *p = r + 4 * i, a = _mm512_unpacklo_epi32(p[0], p[1]),
                  b = _mm512_unpackhi_epi32(p[0], p[1]), c = _mm512_unpacklo_epi32(p[2], p[3]),
                  d = _mm512_unpackhi_epi32(p[2], p[3]);
    q[i][0] = _mm512_unpacklo_epi64(a, c);
    q[i][1] = _mm512_unpackhi_epi64(a, c);
    q[i][2] = _mm512_unpacklo_epi64(b, d);
    q[i][3] = _mm512_unpackhi_epi64(b, d);
  }
  PHIAL_UNROLL
  for (int c = 0; c < 4; c++) {
    const __m512i a = _mm512_shuffle_i32x4(q[0][c], q[1][c], 0x88),
                  b = _mm512_shuffle_i32x4(q[0][c], q[1][c], 0xDD),
                  d = _mm512_shuffle_i32x4(q[2][c], q[3][c], 0x88),
                  e = _mm512_shuffle_i32x4(q[2][c], q[3][c], 0xDD);
    r[c] = _mm512_shuffle_i32x4(a, d, 0x88);
    r[4 + c] = _mm512_shuffle_i32x4(b, e, 0x88);
    r[8 + c] = _mm512_shuffle_i32x4(a, d, 0xDD);
    r[12 + c] = _mm512_shuffle_i32x4(b, e, 0xDD);
  }
}

template <int32_t kBias>
PHIAL_INLINE __m512i less_bias16(__m512i codes) {
  return kBias ? _mm512_sub_epi8(codes, _mm512_set1_epi8(static_cast<char>(kBias))) : codes;
}

// 64 bytes of 16 rows, `stride` apart: 16 dwords a row into `to`, one step after the other. u4: the
// even and odd columns of four blocks, kPacked: still in one byte; u8: two blocks. kNear:
// `ahead` is what will be read soon.
template <Format kFormat, int32_t kBias, bool kPacked, bool kNear>
PHIAL_INLINE void unpack_rows16(const uint8_t* rows, int64_t stride, int64_t ahead, uint8_t* to) {
  __m512i r[16];
  PHIAL_UNROLL
  for (int i = 0; i < 4; i++) {
    const uint8_t* p = rows + 4 * i * stride;
    PHIAL_UNROLL
    for (int j = 0; j < 4; j++) r[4 * i + j] = _mm512_loadu_si512(p + j * stride);
    if constexpr (!kNear) continue;
    p += ahead;
    PHIAL_UNROLL
    for (int j = 0; j < 4; j++)
      _mm_prefetch(reinterpret_cast<const char*>(p + j * stride), _MM_HINT_T0);
  }
  transpose16(r);
  PHIAL_UNROLL
  for (int i = 0; i < 16; i++) {
    if constexpr (kFormat == Format::kU8) {
      _mm512_store_si512(to + i * kStepBytes, less_bias16<kBias>(r[i]));
    } else {
      const __m512i low = _mm512_set1_epi8(15);
      uint8_t* block = to + (i / 4) * kSteps * kStepBytes + (i % 4) * kStepBytes;
      if constexpr (kPacked) {
        static_assert(kBias == 0);
        _mm512_store_si512(block, r[i]);
        continue;
      }
      _mm512_store_si512(block, less_bias16<kBias>(_mm512_and_si512(r[i], low)));
      _mm512_store_si512(block + kSteps / 2 * kStepBytes,
                         less_bias16<kBias>(_mm512_and_si512(_mm512_srli_epi16(r[i], 4), low)));
    }
  }
}

// The chunk's n blocks. kBias is taken off all codes.
template <Format kFormat, int32_t kBias, bool kPacked, bool kNear>
void unpack_chunk16(const Matrix& w, int32_t row, int32_t row_end, int32_t block, int32_t n,
                    PrefillScratch& s) {
  constexpr int32_t kBlockBytes = block_bytes(kFormat), kPerLoad = 64 / kBlockBytes;  // blocks
  const int64_t row_bytes = bytes_of_row(w);
  const int64_t left = (row_bytes - static_cast<int64_t>(block) * kBlockBytes) / 64 * kPerLoad;
  const int32_t whole = left < n ? static_cast<int32_t>(left) : n / kPerLoad * kPerLoad;
  for (int32_t i = 0; i < kTileRows && row + i < row_end; i += 16) {
    if (row + i + 16 > row_end) {
      unpack_chunk8<kFormat, kBias, kPacked, kNear>(w, row, row_end, i, i + 16, block, 0, n, s);
      continue;
    }
    const uint8_t* rows = static_cast<const uint8_t*>(w.data) + (row + i) * row_bytes;
    for (int32_t b = 0; b < whole; b += kPerLoad) {
      const int64_t at = static_cast<int64_t>(block + b) * kBlockBytes;
      if constexpr (!kNear)
        fetch_far<kFormat, kTileRows / 16 * kChunkBlocks / kPerLoad>(
            w, row, block, i / 16 * (kChunkBlocks / kPerLoad) + b / kPerLoad);
      unpack_rows16<kFormat, kBias, kPacked, kNear>(
          rows + at, row_bytes, read_later(at, kUnpackAhead, row_bytes) - at, s.codes[b][0][i]);
    }
    if (whole < n)
      unpack_chunk8<kFormat, kBias, kPacked, kNear>(w, row, row_end, i, i + 16, block, whole, n, s);
  }
}

template <Format kFormat, int32_t kBias, bool kPacked>
void unpack_blocks16(const Matrix& w, int32_t row, int32_t row_end, int32_t block, int32_t n,
                     PrefillScratch& s) {
  if (fetches_near(w))
    unpack_chunk16<kFormat, kBias, kPacked, true>(w, row, row_end, block, n, s);
  else
    unpack_chunk16<kFormat, kBias, kPacked, false>(w, row, row_end, block, n, s);
}

}  // namespace
}  // namespace phial::kernels
