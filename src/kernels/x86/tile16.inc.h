// SPDX-License-Identifier: Apache-2.0
// The register tile of linear_quant_prefill.inc.h on zmm registers. Local to the file that includes
// it.
#pragma once

#include "kernels/x86/linear_quant_prefill.inc.h"
#include "kernels/x86/unpack16.inc.h"

namespace phial::kernels {
namespace {

template <bool kPackedCodes>
struct Tile16Of {
  static constexpr bool kPacked = kPackedCodes;
  static constexpr int kLanes = 16;
  static constexpr int kVectors = 3;
  // 12 integer sums (two dot products a cycle, five cycles each: ten hide the latency), as many
  // float ones that never leave their registers, 3 weights and 1 activation of 32 registers.
  static constexpr int kTokens = 4;

  static constexpr int kFetchBlocks = kPacked ? 1 : kChunkBlocks;

  static constexpr int32_t bias(Format) { return 0; }

  static PHIAL_INLINE void add_dots16(__m512i& acc, __m512i u, __m512i s) {
#if defined(__clang__)
    acc = _mm512_dpbusd_epi32(acc, u, s);
#else
    __asm__("vpdpbusd %2, %1, %0" : "+v"(acc) : "v"(u), "v"(s));  // why: add_dots in dot.inc.h
#endif
  }

  static PHIAL_INLINE __m512i times_plane_base16(__m512i x) {
    static_assert(kPlaneBase == 256 - 2, "shifts");
    return _mm512_sub_epi32(_mm512_slli_epi32(x, 8), _mm512_slli_epi32(x, 1));
  }

  static PHIAL_INLINE __m512i broadcast(const int8_t* four) {
    int32_t dword;
    __builtin_memcpy(&dword, four, sizeof dword);
    return _mm512_set1_epi32(dword);
  }

  static PHIAL_INLINE void prefetch(const void* p) {
    _mm_prefetch(static_cast<const char*>(p), _MM_HINT_T0);
  }

  // Where the integer sums start: -zero * sum of the activations.
  template <Format kFormat, bool kAsymmetric>
  static PHIAL_INLINE __m512i first_sum(__m512i offset, const int32_t* zero_points) {
    if constexpr (!kAsymmetric) return offset;
    // 16 x 16 bits, the zeros' high halves are 0
    return _mm512_madd_epi16(_mm512_load_si512(zero_points),
                             _mm512_srai_epi32(offset, symmetric_zero_log2(kFormat)));
  }

  template <Format kFormat>
  static void unpack(const Matrix& w, int32_t row, int32_t row_end, int32_t block, int32_t n,
                     PrefillScratch& s) {
    unpack_blocks16<kFormat, bias(kFormat), kPacked>(w, row, row_end, block, n, s);
  }

  template <Format kFormat>
  static PHIAL_INLINE __m512i weights(const uint8_t* codes, int32_t step) {
    if constexpr (!kPacked || kFormat != Format::kU4)
      return _mm512_load_si512(codes + step * kStepBytes);
    const __m512i two = _mm512_load_si512(codes + step % (kSteps / 2) * kStepBytes);
    return _mm512_and_si512(step < kSteps / 2 ? two : _mm512_srli_epi16(two, 4),
                            _mm512_set1_epi8(15));
  }

  // One block: its integer dot products, and what they add to the group's sums.
  template <Format kFormat, bool kAsymmetric, int T, int P>
  static PHIAL_INLINE void add_block(const TileCursor<kFormat>& at, __m512 (&part)[T][kVectors]) {
    __m512i acc[T * P][kVectors];
    PHIAL_UNROLL
    for (int t = 0; t < T * P; t++) {
      const __m512i offset = _mm512_set1_epi32(at.offsets[t * kLineBlocks]);
      PHIAL_UNROLL
      for (int v = 0; v < kVectors; v++)
        acc[t][v] = first_sum<kFormat, kAsymmetric>(offset, at.zeros + v * kLanes);
    }
    PHIAL_UNROLL
    for (int32_t s = 0; s < kSteps; s++) {
      __m512i w[kVectors];
      PHIAL_UNROLL
      for (int v = 0; v < kVectors; v++) w[v] = weights<kFormat>(at.codes + v * 64, s);
      PHIAL_UNROLL
      for (int t = 0; t < T * P; t++) {
        const __m512i a = broadcast(at.acts + t * kLineBytes + step_in_block(kFormat, s));
        PHIAL_UNROLL
        for (int v = 0; v < kVectors; v++) add_dots16(acc[t][v], w[v], a);
      }
    }
    PHIAL_UNROLL
    for (int t = 0; t < T; t++) {
      const __m512 scale = _mm512_set1_ps(at.act_scales[t * P * kLineBlocks]);
      PHIAL_UNROLL
      for (int v = 0; v < kVectors; v++) {
        __m512i dots = acc[t * P][v];
        if constexpr (P == 2) dots = _mm512_add_epi32(times_plane_base16(dots), acc[t * P + 1][v]);
        part[t][v] = _mm512_fmadd_ps(_mm512_cvtepi32_ps(dots), scale, part[t][v]);
      }
    }
  }

  template <int T>
  static PHIAL_INLINE void end_group(const float* scales, __m512 (&part)[T][kVectors],
                                     float* sums) {
    PHIAL_UNROLL
    for (int v = 0; v < kVectors; v++) {
      const __m512 scale = _mm512_load_ps(scales + v * kLanes);
      PHIAL_UNROLL
      for (int t = 0; t < T; t++) {
        float* s = sums + t * kTileRows + v * kLanes;
        _mm512_store_ps(s, _mm512_fmadd_ps(part[t][v], scale, _mm512_load_ps(s)));
        part[t][v] = _mm512_setzero_ps();
      }
    }
  }

  // In one function with the loop over tiles: 2 % faster.
  template <Format kFormat, bool kAsymmetric, int T, int P>
  static PHIAL_INLINE void run(const TileInput& in, float* inner, float* sums) {
    __m512 part[T][kVectors];  // the group's sums so far
    PHIAL_UNROLL
    for (int t = 0; t < T; t++) {
      PHIAL_UNROLL
      for (int v = 0; v < kVectors; v++)
        part[t][v] =
            in.goes_on ? _mm512_load_ps(inner + t * kTileRows + v * kLanes) : _mm512_setzero_ps();
    }
    TileCursor<kFormat> at(in);
    const float* ahead = sums + T * kTileRows;
    for (int32_t left = in.blocks; left > 0; left -= kLineBlocks, at.next_line(in.stride)) {
      // What the next tokens' tile will read: it comes from L2 otherwise.
      PHIAL_UNROLL
      for (int i = 0; i < 2 * T * P; i++) prefetch(at.acts + T * P * kLineBytes + i * 64);
      for (int32_t n = left < kLineBlocks ? left : kLineBlocks; n > 0; n--, at.next_block()) {
        if constexpr (kFetchBlocks == 1) in.fetch->step<kFormat>();
        prefetch(ahead);
        prefetch(ahead + 16);
        ahead += 32;
        add_block<kFormat, kAsymmetric, T, P>(at, part);
        if (at.ends_group()) end_group<T>(at.scales, part, sums);
      }
    }
    if (!in.is_cut) return;
    PHIAL_UNROLL
    for (int t = 0; t < T; t++) {
      PHIAL_UNROLL
      for (int v = 0; v < kVectors; v++)
        _mm512_store_ps(inner + t * kTileRows + v * kLanes, part[t][v]);
    }
  }
};

using Tile16 = Tile16Of<false>;

}  // namespace
}  // namespace phial::kernels
