// SPDX-License-Identifier: Apache-2.0
#include "model/rope.h"

#include <cmath>

namespace phial {
namespace {

// 1 / (factor * theta^(2i/R)), each step rounded to float32 as torch does (transformers,
// modeling_rope_utils.py). The power is taken in double and rounded once: at position 4000 one ulp
// of a frequency moves an angle by 2e-4.
std::vector<float> inverse_frequencies(const Phi3Config& config,
                                       const std::vector<float>* factors) {
  std::vector<float> out;
  const float theta = static_cast<float>(config.rope_theta),
              dim = static_cast<float>(config.rotary_dim);
  for (int32_t i = 0; i < config.rotary_dim / 2; ++i) {
    const float exponent = static_cast<float>(2 * i) / dim;
    const float power =
        static_cast<float>(std::pow(static_cast<double>(theta), static_cast<double>(exponent)));
    out.push_back(1.0f / (factors ? (*factors)[static_cast<size_t>(i)] * power : power));
  }
  return out;
}

}  // namespace

Rope::Rope(const Phi3Config& config)
    : half_(config.rotary_dim / 2),
      attention_factor_(config.longrope ? static_cast<float>(config.longrope->attention_factor)
                                        : 1.0f),
      short_inv_freq_(
          inverse_frequencies(config, config.longrope ? &config.longrope->short_factor : nullptr)),
      long_inv_freq_(
          inverse_frequencies(config, config.longrope ? &config.longrope->long_factor : nullptr)) {}

void Rope::at(int64_t position, bool long_factors, float* cos, float* sin) const {
  const std::vector<float>& inv_freq = long_factors ? long_inv_freq_ : short_inv_freq_;
  const float p = static_cast<float>(position);
  for (size_t i = 0; i < inv_freq.size(); ++i) {
    const double angle = inv_freq[i] * p;  // a float32 product; its cos and sin rounded once
    cos[i] = static_cast<float>(std::cos(angle)) * attention_factor_;
    sin[i] = static_cast<float>(std::sin(angle)) * attention_factor_;
  }
}

}  // namespace phial
