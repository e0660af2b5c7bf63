// SPDX-License-Identifier: Apache-2.0
// pack_u8 and pack_u4 on NEON, to the bit what the scalar tier writes. Local to the file that
// includes it.
#pragma once

#include <arm_neon.h>
#include <stdint.h>

#include "kernels/packed_layout.inc.h"

namespace phial::kernels {
namespace {

// 16 codes from 16 floats, rounded to nearest even.
inline int8x16_t narrow(const float32x4_t* x) {
  int16x4_t parts[4];
  for (int i = 0; i < 4; i++) parts[i] = vmovn_s32(vcvtnq_s32_f32(x[i]));
  return vcombine_s8(vmovn_s16(vcombine_s16(parts[0], parts[1])),
                     vmovn_s16(vcombine_s16(parts[2], parts[3])));
}

// One plane of a block: codes, scale, offset.
template <Format kFormat>
inline void store_plane(const float32x4_t* x, const PackedActs& acts, size_t line, int32_t block,
                        float scale) {
  int8x16_t low = narrow(x), high = narrow(x + 4);
  if constexpr (kFormat == Format::kU4) {  // 16 even columns, then 16 odd ones
    const int8x16_t evens = vuzp1q_s8(low, high), odds = vuzp2q_s8(low, high);
    low = evens;
    high = odds;
  }
  int8_t* codes =
      const_cast<int8_t*>(acts.lines) + line * kLineBytes + block_in_line(kFormat, block);
  vst1q_s8(codes, low);
  vst1q_s8(codes + half_distance(kFormat), high);
  const size_t at = line * kLineBlocks + static_cast<size_t>(block % kLineBlocks);
  const_cast<float*>(acts.scales)[at] = scale;
  const_cast<int32_t*>(acts.offsets)[at] =
      -symmetric_zero(kFormat) * (vaddlvq_s8(low) + vaddlvq_s8(high));
}

template <Format kFormat>
void pack(const float* x, int32_t n_tokens, int32_t cols, int32_t planes, int32_t begin,
          int32_t end, void* packed) {
  const PackedActs acts = packed_acts(packed, n_tokens, planes, cols);
  for (int32_t t = begin; t < end; t++) {
    for (int32_t b = 0; b < act_lines(cols) * kLineBlocks; b++) {
      const float* p = x + static_cast<int64_t>(t) * cols + b * kActBlock;
      float rest[kActBlock];
      if (const int32_t count = cols - b * kActBlock; count < kActBlock) {
        for (int32_t i = 0; i < kActBlock; i++) rest[i] = i < count ? p[i] : 0.0f;
        p = rest;
      }
      float32x4_t v[8], largest = vdupq_n_f32(0);
      for (int i = 0; i < 8; i++) {
        v[i] = vld1q_f32(p + 4 * i);
        largest = vmaxnmq_f32(largest, vabsq_f32(v[i]));  // as fmax: a NaN isn't the largest
      }
      const float max = vmaxvq_f32(largest);
      const bool zero = !(max >= kSmallestActs);
      const float scale = zero ? 0.0f : max / largest_code(planes);
      const float inverse = zero ? 0.0f : largest_code(planes) / max;
      const size_t line = acts.line(b, static_cast<size_t>(t) * static_cast<size_t>(planes));
      for (int i = 0; i < 8; i++) v[i] = vmulq_n_f32(v[i], inverse);
      if (planes == 1) {
        store_plane<kFormat>(v, acts, line, b, scale);
        continue;
      }
      float32x4_t high[8];
      for (int i = 0; i < 8; i++) {
        const float32x4_t code = vrndnq_f32(v[i]);
        high[i] = vrndnq_f32(vmulq_n_f32(code, kInversePlaneBase));
        v[i] = vfmsq_n_f32(code, high[i], static_cast<float>(kPlaneBase));
      }
      store_plane<kFormat>(high, acts, line, b, scale);
      store_plane<kFormat>(v, acts, line + 1, b, scale);
    }
  }
}

}  // namespace
}  // namespace phial::kernels
