// SPDX-License-Identifier: Apache-2.0
// The register tile of linear_quant_prefill.inc.h on ymm registers. Local to the file that includes
// it.
#pragma once

#include "kernels/x86/linear_quant_prefill.inc.h"
#include "kernels/x86/unpack8.inc.h"

namespace phial::kernels {
namespace {

template <bool kPackedCodes>
struct Tile8Of {
  static constexpr bool kPacked = kPackedCodes;
  static constexpr int kLanes = 8;
  static constexpr int kVectors = 2;
  // 12 sums + 2 weights + 1 activation fill the 16 registers; vpmaddubsw needs two more for its
  // intermediate values.
#if PHIAL_DOT == 0
  static constexpr int kTokens = 4;
#else
  static constexpr int kTokens = 6;
#endif

  static constexpr int kFetchBlocks = 0;  // instructions count here more than waiting

  static constexpr int32_t bias(Format format) { return zero_bias(format); }

  // Raw dot products of one block, added to acc.
  template <Format kFormat, int T>
  static PHIAL_INLINE void add_block(const uint8_t* codes, const int8_t* acts,
                                     __m256i (&acc)[T][kVectors]) {
#if PHIAL_DOT == 0
    if constexpr (kFormat == Format::kU4) {  // 8 steps x 2 x 15 x 127 = 30480 fits into 16 bits
      __m256i narrow_acc[T][kVectors];
      PHIAL_UNROLL
      for (int t = 0; t < T; t++) {
        PHIAL_UNROLL
        for (int v = 0; v < kVectors; v++) narrow_acc[t][v] = _mm256_setzero_si256();
      }
      for (int32_t s = 0; s < kSteps; s++) {
        PHIAL_UNROLL
        for (int t = 0; t < T; t++) {
          const __m256i a = broadcast(acts + t * kLineBytes + step_in_block(kFormat, s));
          PHIAL_UNROLL
          for (int v = 0; v < kVectors; v++)
            narrow_acc[t][v] = _mm256_add_epi16(
                narrow_acc[t][v], _mm256_maddubs_epi16(weights<kFormat>(codes, s, v), a));
        }
      }
      PHIAL_UNROLL
      for (int t = 0; t < T; t++) {
        PHIAL_UNROLL
        for (int v = 0; v < kVectors; v++)
          acc[t][v] = _mm256_add_epi32(acc[t][v], pair_sums(narrow_acc[t][v]));
      }
    } else {
      for (int32_t s = 0; s < kSteps; s++) {
        PHIAL_UNROLL
        for (int t = 0; t < T; t++) {
          const __m256i a = broadcast(acts + t * kLineBytes + step_in_block(kFormat, s));
          PHIAL_UNROLL
          for (int v = 0; v < kVectors; v++)
            acc[t][v] = _mm256_add_epi32(
                acc[t][v], pair_sums(signed_products(weights<kFormat>(codes, s, v), a)));
        }
      }
    }
#else
    PHIAL_UNROLL
    for (int32_t s = 0; s < kSteps; s++) {
      __m256i w[kVectors];
      PHIAL_UNROLL
      for (int v = 0; v < kVectors; v++) w[v] = weights<kFormat>(codes, s, v);
      PHIAL_UNROLL
      for (int t = 0; t < T; t++) {
        const __m256i a = broadcast(acts + t * kLineBytes + step_in_block(kFormat, s));
        PHIAL_UNROLL
        for (int v = 0; v < kVectors; v++) add_dots(acc[t][v], w[v], a);
      }
    }
#endif
  }

  template <Format kFormat>
  static PHIAL_INLINE __m256i weights(const uint8_t* codes, int32_t step, int vector) {
    const auto load = [&](int32_t from) PHIAL_INLINE_LAMBDA {
      return _mm256_load_si256(
          reinterpret_cast<const __m256i*>(codes + from * kStepBytes + vector * 32));
    };
    if constexpr (!kPacked || kFormat != Format::kU4) return load(step);
    const __m256i two = load(step % (kSteps / 2));
    return _mm256_and_si256(step < kSteps / 2 ? two : _mm256_srli_epi16(two, 4),
                            _mm256_set1_epi8(15));
  }
  static PHIAL_INLINE __m256i broadcast(const int8_t* four) {
    int32_t dword;
    __builtin_memcpy(&dword, four, sizeof dword);
    return _mm256_set1_epi32(dword);
  }

  template <Format kFormat>
  static void unpack(const Matrix& w, int32_t row, int32_t row_end, int32_t block, int32_t n,
                     PrefillScratch& s) {
    unpack_blocks8<kFormat, bias(kFormat), kPacked>(w, row, row_end, 0, kTileRows, block, 0, n, s);
  }

  template <Format kFormat, bool kAsymmetric, int T, int P>
  static void run(const TileInput& in, float* inner, float* sums) {
    alignas(64) float
        local[T][kVectors * kLanes];  // `inner` while it is being summed: in L1, at fixed addresses
    PHIAL_UNROLL
    for (int t = 0; t < T; t++) {
      PHIAL_UNROLL
      for (int v = 0; v < kVectors; v++)
        _mm256_store_ps(
            local[t] + v * kLanes,
            in.goes_on ? _mm256_load_ps(inner + t * kTileRows + v * kLanes) : _mm256_setzero_ps());
    }
    TileCursor<kFormat> at(in);
    for (int32_t left = in.blocks; left > 0; left -= kLineBlocks, at.next_line(in.stride)) {
      // What the next tokens' tile will read: it comes from L2 otherwise.
      PHIAL_UNROLL
      for (int i = 0; i < 2 * T * P; i++)
        _mm_prefetch(reinterpret_cast<const char*>(at.acts + T * P * kLineBytes + i * 64),
                     _MM_HINT_T0);
      for (int32_t n = left < kLineBlocks ? left : kLineBlocks; n > 0; n--, at.next_block()) {
        __m256i acc[T * P][kVectors];
        PHIAL_UNROLL
        for (int t = 0; t < T * P; t++) {
          const __m256i offset = _mm256_set1_epi32(at.offsets[t * kLineBlocks]);
          PHIAL_UNROLL
          for (int v = 0; v < kVectors; v++) {
            if constexpr (kAsymmetric) {  // -zero * sum: 16 x 16 bits, the zeros' high halves are 0
              const __m256i zeros =
                  _mm256_load_si256(reinterpret_cast<const __m256i*>(at.zeros + v * kLanes));
              acc[t][v] =
                  _mm256_madd_epi16(zeros, _mm256_srai_epi32(offset, symmetric_zero_log2(kFormat)));
            } else {
              acc[t][v] = zero_bias(kFormat) ? _mm256_setzero_si256() : offset;
            }
          }
        }
        add_block<kFormat, T * P>(at.codes, at.acts, acc);
        PHIAL_UNROLL
        for (int t = 0; t < T; t++) {
          const __m256 scale = _mm256_set1_ps(at.act_scales[t * P * kLineBlocks]);
          PHIAL_UNROLL
          for (int v = 0; v < kVectors; v++) {
            float* p = local[t] + v * kLanes;
            __m256i dots = acc[t * P][v];
            if constexpr (P == 2)
              dots = _mm256_add_epi32(times_plane_base(dots), acc[t * P + 1][v]);
            _mm256_store_ps(p, _mm256_fmadd_ps(_mm256_cvtepi32_ps(dots), scale, _mm256_load_ps(p)));
          }
        }
        if (at.ends_group()) end_group<T>(at.scales, local, sums);
      }
    }
    if (!in.is_cut) return;
    for (int t = 0; t < T; t++)
      for (int v = 0; v < kVectors; v++)
        _mm256_store_ps(inner + t * kTileRows + v * kLanes, _mm256_load_ps(local[t] + v * kLanes));
  }

  template <int T>
  static PHIAL_INLINE void end_group(const float* scales, float (*local)[kVectors * kLanes],
                                     float* sums) {
    PHIAL_UNROLL
    for (int v = 0; v < kVectors; v++) {
      const __m256 scale = _mm256_load_ps(scales + v * kLanes);
      PHIAL_UNROLL
      for (int t = 0; t < T; t++) {
        float* p = local[t] + v * kLanes;
        float* s = sums + t * kTileRows + v * kLanes;
        _mm256_store_ps(s, _mm256_fmadd_ps(_mm256_load_ps(p), scale, _mm256_load_ps(s)));
        _mm256_store_ps(p, _mm256_setzero_ps());
      }
    }
  }
};

using Tile8 = Tile8Of<false>;

}  // namespace
}  // namespace phial::kernels
