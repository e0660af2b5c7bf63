// SPDX-License-Identifier: Apache-2.0
// The register tile of linear_quant_prefill.inc.h on zmm registers. Local to the file that includes
// it.
#pragma once

#include "kernels/x86/linear_quant_prefill.inc.h"

namespace phial::kernels {
namespace {

struct Tile16 {
  static constexpr int kLanes = 16;
  static constexpr int kVectors = 3;
  static constexpr int kTokens = 8;  // 24 sums + 3 weights + 1 activation of 32 registers

  static PHIAL_INLINE void add_dots16(__m512i& acc, __m512i u, __m512i s) {
#if defined(__clang__)
    acc = _mm512_dpbusd_epi32(acc, u, s);
#else
    __asm__("vpdpbusd %2, %1, %0" : "+v"(acc) : "v"(u), "v"(s));  // why: add_dots in dot.inc.h
#endif
  }

  template <Format kFormat, bool kAsymmetric, int T, int P>
  static void run(const TileInput& in, float* inner, float* sums) {
    alignas(64) float
        local[T][kVectors * kLanes];  // `inner` while it is being summed: in L1, at fixed addresses
    PHIAL_UNROLL
    for (int t = 0; t < T; t++) {
      PHIAL_UNROLL
      for (int v = 0; v < kVectors; v++)
        _mm512_store_ps(
            local[t] + v * kLanes,
            in.goes_on ? _mm512_load_ps(inner + t * kTileRows + v * kLanes) : _mm512_setzero_ps());
    }
    for (int32_t b = 0; b < in.blocks; b++) {
      __m512i acc[T * P][kVectors];
      PHIAL_UNROLL
      for (int t = 0; t < T * P; t++) {
        const __m512i offset = _mm512_set1_epi32(in.offsets[b * in.n_planes + t]);
        PHIAL_UNROLL
        for (int v = 0; v < kVectors; v++) {
          if constexpr (kAsymmetric) {  // -zero * sum: 16 x 16 bits, the zeros' high halves are 0
            const __m512i zeros = _mm512_load_si512(in.zeros + b * kTileRows + v * kLanes);
            acc[t][v] =
                _mm512_madd_epi16(zeros, _mm512_srai_epi32(offset, symmetric_zero_log2(kFormat)));
          } else {
            acc[t][v] = offset;
          }
        }
      }
      const uint8_t* codes = in.codes + b * kSteps * kStepBytes;
      const int8_t* acts = in.acts + b * in.n_planes * kActBlock;
      for (int32_t s = 0; s < kSteps; s++) {
        __m512i w[kVectors];
        PHIAL_UNROLL
        for (int v = 0; v < kVectors; v++)
          w[v] = _mm512_load_si512(codes + s * kStepBytes + v * 64);
        PHIAL_UNROLL
        for (int t = 0; t < T * P; t++) {
          int32_t dword;
          __builtin_memcpy(&dword, acts + t * kActBlock + s * 4, sizeof dword);
          const __m512i a = _mm512_set1_epi32(dword);
          PHIAL_UNROLL
          for (int v = 0; v < kVectors; v++) add_dots16(acc[t][v], w[v], a);
        }
      }
      PHIAL_UNROLL
      for (int t = 0; t < T; t++) {
        const __m512 scale = _mm512_set1_ps(in.act_scales[b * in.n_planes + t * P]);
        PHIAL_UNROLL
        for (int v = 0; v < kVectors; v++) {
          float* p = local[t] + v * kLanes;
          __m512i dots = acc[t * P][v];
          if constexpr (P == 2)
            dots = _mm512_add_epi32(
                _mm512_sub_epi32(_mm512_slli_epi32(dots, 8), _mm512_slli_epi32(dots, 1)),
                acc[t * P + 1][v]);
          _mm512_store_ps(p, _mm512_fmadd_ps(_mm512_cvtepi32_ps(dots), scale, _mm512_load_ps(p)));
        }
      }
      if (in.group_ends >> b & 1) end_group<T>(in.scales + b * kTileRows, local, sums);
    }
    if (!in.is_cut) return;
    for (int t = 0; t < T; t++)
      for (int v = 0; v < kVectors; v++)
        _mm512_store_ps(inner + t * kTileRows + v * kLanes, _mm512_load_ps(local[t] + v * kLanes));
  }

  template <int T>
  static PHIAL_INLINE void end_group(const float* scales, float (*local)[kVectors * kLanes],
                                     float* sums) {
    PHIAL_UNROLL
    for (int v = 0; v < kVectors; v++) {
      const __m512 scale = _mm512_load_ps(scales + v * kLanes);
      PHIAL_UNROLL
      for (int t = 0; t < T; t++) {
        float* p = local[t] + v * kLanes;
        float* s = sums + t * kTileRows + v * kLanes;
        _mm512_store_ps(s, _mm512_fmadd_ps(_mm512_load_ps(p), scale, _mm512_load_ps(s)));
        _mm512_store_ps(p, _mm512_setzero_ps());
      }
    }
  }
};

}  // namespace
}  // namespace phial::kernels
