// SPDX-License-Identifier: Apache-2.0
// exp on vectors of four, relative error below 2e-7 in [-87, 88]; below -87 it is 0, above 88 it
// stays exp(88); NaN stays NaN. Local to the file that includes it.
#pragma once

#include <arm_neon.h>

namespace phial::kernels {
namespace {

// exp(x) = 2^n exp(r), |r| <= ln(2)/2. The Taylor series up to r^7/7! leaves r^8/8! < 6e-9. ln(2)
// is split in two so that n * high is exact (high has 15 significant bits, n 7).
inline float32x4_t exp_of(float32x4_t x) {
  constexpr float kSeries[] = {1.0f / 720, 1.0f / 120, 1.0f / 24, 1.0f / 6, 0.5f, 1.0f, 1.0f};
  const float32x4_t lowest = vdupq_n_f32(-87.0f);
  const float32x4_t clamped = vmaxq_f32(lowest, vminq_f32(vdupq_n_f32(88.0f), x));
  const float32x4_t n = vrndnq_f32(vmulq_n_f32(clamped, 1.44269504f));
  float32x4_t r = vfmaq_n_f32(clamped, n, -0x1.62e4p-1f);
  r = vfmaq_n_f32(r, n, -1.42860677e-6f);
  float32x4_t sum = vdupq_n_f32(1.0f / 5040);
  for (const float term : kSeries) sum = vfmaq_f32(vdupq_n_f32(term), sum, r);
  const int32x4_t scaled =
      vaddq_s32(vreinterpretq_s32_f32(sum), vshlq_n_s32(vcvtnq_s32_f32(n), 23));
  return vreinterpretq_f32_u32(vbicq_u32(vreinterpretq_u32_s32(scaled), vcltq_f32(x, lowest)));
}

}  // namespace
}  // namespace phial::kernels
