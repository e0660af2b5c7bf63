// SPDX-License-Identifier: Apache-2.0
// Which of the paths of linear_u8 and linear_u4 runs. All give the same bits, so this is a matter
// of speed alone. Local to the file that includes it.
#pragma once

#include "kernels/x86/linear_quant_decode.inc.h"
#include "kernels/x86/linear_quant_prefill.inc.h"

namespace phial::kernels {
namespace {

// From here on the transposing path is faster (bench/kernels, docs/decisions/0005-kernels.md).
constexpr int32_t kPrefillTokens = 5;

template <class Tile, Format kFormat, int P>
void linear_quant_planes(const Linear& l) {
  if (l.n_tokens >= kPrefillTokens) {
    if (l.w.zero_points) return linear_quant_prefill<Tile, kFormat, true, P>(l);
    return linear_quant_prefill<Tile, kFormat, false, P>(l);
  }
  if (l.w.zero_points) return linear_quant_decode<kFormat, true, P>(l);
  linear_quant_decode<kFormat, false, P>(l);
}

template <class Tile, Format kFormat>
void linear_quant(const Linear& l) {
  if (!groups_hold_blocks(l.w)) return linear_quant_any<kFormat>(l);
  if (l.planes == 2) return linear_quant_planes<Tile, kFormat, 2>(l);
  linear_quant_planes<Tile, kFormat, 1>(l);
}

}  // namespace
}  // namespace phial::kernels
