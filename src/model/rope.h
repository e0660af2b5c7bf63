// SPDX-License-Identifier: Apache-2.0
// Rotary position embedding: cos and sin by position, with LongRoPE's two factor sets. Angles are
// computed in float32 exactly as transformers does (inv_freq f32, position f32), cos/sin multiplied
// by the attention factor.
#pragma once

#include <cstdint>
#include <vector>

#include "model/phi3_config.h"

namespace phial {

class Rope {
 public:
  explicit Rope(const Phi3Config& config);

  int32_t half() const { return half_; }  // rotary_dim / 2

  // Radians a position, [half()].
  const std::vector<float>& inv_freq(bool long_factors) const {
    return long_factors ? long_inv_freq_ : short_inv_freq_;
  }

  // cos and sin of one position, each [half()].
  void at(int64_t position, bool long_factors, float* cos, float* sin) const;

 private:
  int32_t half_;
  float attention_factor_;
  std::vector<float> short_inv_freq_, long_inv_freq_;  // [half]; equal if there is no longrope
};

}  // namespace phial
