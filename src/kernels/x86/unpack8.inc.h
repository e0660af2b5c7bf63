// SPDX-License-Identifier: Apache-2.0
// Codes as linear_quant_prefill.inc.h wants them, transposed on ymm registers. Local to the file
// that includes it.
#pragma once

#include <stdint.h>

#include "kernels/x86/linear_quant_prefill.inc.h"

namespace phial::kernels {
namespace {

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

template <int32_t kBias>
PHIAL_INLINE __m256i less_bias(__m256i codes) {
  return kBias ? _mm256_sub_epi8(codes, _mm256_set1_epi8(static_cast<char>(kBias))) : codes;
}

// 32 bytes of 8 rows, of which only `bytes` belong to the row: 8 dwords a row into `to`, one step
// after the other. kNear: `ahead` is what will be read soon. u4: the even and odd columns of
// two blocks, kPacked: still in one byte.
template <Format kFormat, int32_t kBias, bool kPacked, bool kNear>
PHIAL_INLINE void unpack_rows8(const uint8_t* const* rows, int64_t at, int64_t bytes, int64_t ahead,
                               uint8_t* to) {
  __m256i r[8];
  if (bytes >= 32) {
    PHIAL_UNROLL
    for (int i = 0; i < 8; i++) {
      r[i] = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(rows[i] + at));
      if constexpr (kNear)
        _mm_prefetch(reinterpret_cast<const char*>(rows[i] + ahead), _MM_HINT_T0);
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
      _mm256_store_si256(reinterpret_cast<__m256i*>(to + i * kStepBytes), less_bias<kBias>(r[i]));
    } else {
      const __m256i low = _mm256_set1_epi8(15);
      uint8_t* block = to + (i / 4) * kSteps * kStepBytes + (i % 4) * kStepBytes;
      if constexpr (kPacked) {
        static_assert(kBias == 0);
        _mm256_store_si256(reinterpret_cast<__m256i*>(block), r[i]);
        continue;
      }
      _mm256_store_si256(reinterpret_cast<__m256i*>(block),
                         less_bias<kBias>(_mm256_and_si256(r[i], low)));
      _mm256_store_si256(reinterpret_cast<__m256i*>(block + kSteps / 2 * kStepBytes),
                         less_bias<kBias>(_mm256_and_si256(_mm256_srli_epi16(r[i], 4), low)));
    }
  }
}

// Blocks [from, n) of the chunk of rows row + [begin, end), of which those from `row_end` on are
// stood in for by the last one. kBias is taken off all codes.
template <Format kFormat, int32_t kBias, bool kPacked, bool kNear>
[[gnu::noinline]] void unpack_chunk8(const Matrix& w, int32_t row, int32_t row_end, int32_t begin,
                                     int32_t end, int32_t block, int32_t from, int32_t n,
                                     PrefillScratch& s) {
  constexpr int32_t kBlockBytes = block_bytes(kFormat), kPerLoad = 32 / kBlockBytes;  // blocks
  const int64_t row_bytes = bytes_of_row(w);
  for (int32_t i = begin; i < end && row + i < row_end; i += 8) {
    const uint8_t* rows[8];
    for (int j = 0; j < 8; j++) {
      const int64_t r = row + i + j < row_end ? row + i + j : row_end - 1;
      rows[j] = static_cast<const uint8_t*>(w.data) + r * row_bytes;
    }
    for (int32_t b = from; b < n; b += kPerLoad) {
      const int64_t at = static_cast<int64_t>(block + b) * kBlockBytes;
      if constexpr (!kNear)
        fetch_far<kFormat, kTileRows / 8 * kChunkBlocks / kPerLoad>(
            w, row, block, i / 8 * (kChunkBlocks / kPerLoad) + b / kPerLoad);
      unpack_rows8<kFormat, kBias, kPacked, kNear>(
          rows, at, row_bytes - at, read_later(at, kUnpackAhead, row_bytes), s.codes[b][0][i]);
    }
  }
}

template <Format kFormat, int32_t kBias, bool kPacked>
void unpack_blocks8(const Matrix& w, int32_t row, int32_t row_end, int32_t begin, int32_t end,
                    int32_t block, int32_t from, int32_t n, PrefillScratch& s) {
  if (fetches_near(w))
    unpack_chunk8<kFormat, kBias, kPacked, true>(w, row, row_end, begin, end, block, from, n, s);
  else
    unpack_chunk8<kFormat, kBias, kPacked, false>(w, row, row_end, begin, end, block, from, n, s);
}

}  // namespace
}  // namespace phial::kernels
