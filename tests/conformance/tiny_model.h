// SPDX-License-Identifier: Apache-2.0
// Packages of a few thousand random weights, made in memory: every stored format, every twist of
// the architecture. Small enough that reference_forward() checks each logit.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "package/package.h"

namespace phial {

// Formats of the matrices of a layer, and of embedding and lm_head; `asymmetric` gives quantized
// ones zero points.
struct TinyFormats {
  WeightFormat qkv = WeightFormat::kF32, o = WeightFormat::kF32, gate_up = WeightFormat::kF32,
               down = WeightFormat::kF32, embedding = WeightFormat::kF32,
               lm_head = WeightFormat::kF32;
  bool asymmetric = false;
  int32_t group = 32;  // 0: one scale a row

  static TinyFormats all(WeightFormat format, bool asymmetric = false, int32_t group = 32) {
    return {format, format, format, format, format, format, asymmetric, group};
  }
};

// hidden 64, 2 layers, 4 heads of 24 over 2 KV heads (so that q_rows, 96, isn't hidden),
// intermediate 160, vocab 101.
Phi3Config tiny_config();

// Two sets of factors, and the attention factor of a model whose context is 4 times `original`.
void make_longrope(Phi3Config& config, int32_t original);

std::shared_ptr<const Package> tiny_package(const Phi3Config& config, const TinyFormats& formats,
                                            uint64_t seed = 1);

// Ids that visit the whole vocabulary, the same for the same seed.
std::vector<int32_t> tiny_tokens(const Phi3Config& config, int32_t count, uint64_t seed = 7);

}  // namespace phial
