// SPDX-License-Identifier: Apache-2.0
// Which of the paths of linear_u8 and linear_u4 runs. All give the same bits, so this is a matter
// of speed alone. Local to the file that includes it.
#pragma once

#include "kernels/x86/linear_quant_lines.inc.h"
#include "kernels/x86/linear_quant_prefill.inc.h"

namespace phial::kernels {
namespace {

// What a tier computes with: its tile for many tokens; the one for so few that they are two tiles
// at most, where unpacking counts as much as multiplying; and the few tokens' path for groups of
// 128.
template <class Prefill, class ShortPrefill, class GroupsOf128>
struct Paths {
  using Tile = Prefill;
  using ShortTile = ShortPrefill;
  using Lines = GroupsOf128;
};

template <class P, Format kFormat, bool kAsymmetric, int kPlanes>
void linear_quant_zeros(const Linear& l) {
  if (l.n_tokens >= P::Lines::kPrefillTokens) {
    if constexpr (kFormat == Format::kU4 && P::ShortTile::kPacked)
      if (l.n_tokens * kPlanes <= 2 * P::ShortTile::kTokens)
        return linear_quant_prefill<typename P::ShortTile, kFormat, kAsymmetric, kPlanes>(l);
    return linear_quant_prefill<typename P::Tile, kFormat, kAsymmetric, kPlanes>(l);
  }
  if (groups_are_lines(l.w))
    return linear_quant_decode<typename P::Lines, kFormat, kAsymmetric, kPlanes>(l);
  linear_quant_decode<AnyGroups, kFormat, kAsymmetric, kPlanes>(l);
}

template <class P, Format kFormat, int kPlanes>
void linear_quant_planes(const Linear& l) {
  if (l.w.zero_points) return linear_quant_zeros<P, kFormat, true, kPlanes>(l);
  linear_quant_zeros<P, kFormat, false, kPlanes>(l);
}

template <class P, Format kFormat>
void linear_quant(const Linear& l) {
  if (!groups_hold_blocks(l.w)) return linear_quant_any<kFormat>(l);
  if (l.planes == 2) return linear_quant_planes<P, kFormat, 2>(l);
  linear_quant_planes<P, kFormat, 1>(l);
}

}  // namespace
}  // namespace phial::kernels
