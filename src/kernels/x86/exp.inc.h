// SPDX-License-Identifier: Apache-2.0
// Exponentials and logarithms on vectors. exp_of: relative error below 2e-7 in [-87, 88]; below -87
// it is 0, above 88 it stays exp(88); NaN stays NaN. Local to the file that includes it.
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

// 2^x for x <= 0, relative error below 3e-7; below -126 it is 0, NaN stays NaN. A polynomial of the
// fifth degree for 2^f, |f| <= 1/2, of least relative error (9e-8) among those that are 1 at 0.
template <class V>
PHIAL_INLINE typename V::F exp2_of(typename V::F x) {
  using F = typename V::F;
  const F clamped = V::max(V::set1(-126.0f), x), n = V::round(clamped), f = V::sub(clamped, n);
  F sum = V::set1(0x1.5bba14p-10f);
  sum = V::fma(sum, f, V::set1(0x1.3cea88p-7f));
  sum = V::fma(sum, f, V::set1(0x1.c6b752p-5f));
  sum = V::fma(sum, f, V::set1(0x1.ebf9bcp-3f));
  sum = V::fma(sum, f, V::set1(0x1.62e42ap-1f));
  sum = V::fma(sum, f, V::set1(1.0f));
  return V::zero_if_less(V::times_power_of_2(sum, n), x, V::set1(-126.0f));
}

// Binary logarithm of normal numbers above 0, absolute error below 3e-7 + 6e-8 |log2 x|. With x = m
// * 2^e and s = (m - 1) / (m + 1), |s| < 0.172: ln m = 2 (s + s^3/3 + ... + s^9/9), the rest is
// below 1e-9.
template <class V>
PHIAL_INLINE typename V::F log2_of(typename V::F x) {
  using F = typename V::F;
  constexpr float kTwoOverLn2 = 2.88539008f;
  F e;
  const F m = V::split_float(x, e), one = V::set1(1.0f);
  const F s = V::div(V::sub(m, one), V::add(m, one)), square = V::mul(s, s);
  F sum = V::set1(kTwoOverLn2 / 9);
  sum = V::fma(sum, square, V::set1(kTwoOverLn2 / 7));
  sum = V::fma(sum, square, V::set1(kTwoOverLn2 / 5));
  sum = V::fma(sum, square, V::set1(kTwoOverLn2 / 3));
  sum = V::fma(sum, square, V::set1(kTwoOverLn2));
  return V::fma(sum, s, e);
}

}  // namespace
}  // namespace phial::kernels
