// SPDX-License-Identifier: Apache-2.0
// exp on vectors, relative error below 2e-7 in [-87, 88]; below -87 it is 0, above 88 it stays
// exp(88); NaN stays NaN. Local to the file that includes it.
#pragma once

#include "kernels/x86/vec8.inc.h"

namespace phial::kernels {
namespace {

// exp(x) = 2^n exp(r), |r| <= ln(2)/2. The Taylor series up to r^7/7! leaves r^8/8! < 6e-9. ln(2)
// is split in two so that n * high is exact (high has 15 significant bits, n 7).
template <class V>
PHIAL_INLINE typename V::F exp_of(typename V::F x) {
  using F = typename V::F;
  const F clamped = V::max(V::set1(-87.0f), V::min(V::set1(88.0f), x));
  const F n = V::round(V::mul(clamped, V::set1(1.44269504f)));
  F r = V::fma(n, V::set1(-0x1.62e4p-1f), clamped);
  r = V::fma(n, V::set1(-1.42860677e-6f), r);
  F sum = V::set1(1.0f / 5040);
  sum = V::fma(sum, r, V::set1(1.0f / 720));
  sum = V::fma(sum, r, V::set1(1.0f / 120));
  sum = V::fma(sum, r, V::set1(1.0f / 24));
  sum = V::fma(sum, r, V::set1(1.0f / 6));
  sum = V::fma(sum, r, V::set1(0.5f));
  sum = V::fma(sum, r, V::set1(1.0f));
  sum = V::fma(sum, r, V::set1(1.0f));
  return V::zero_if_less(V::times_power_of_2(sum, n), x, V::set1(-87.0f));
}

}  // namespace
}  // namespace phial::kernels
