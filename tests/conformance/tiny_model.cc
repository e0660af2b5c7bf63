// SPDX-License-Identifier: Apache-2.0
#include "conformance/tiny_model.h"

#include <cmath>
#include <cstring>

#include "base/rng.h"
#include "tensor/half.h"

namespace phial {
namespace {

class TinyPackage : public Package {
 public:
  TinyPackage(const Phi3Config& config, const TinyFormats& formats, uint64_t seed) : rng_(seed) {
    config_ = config;
    const int64_t hidden = config.hidden_size;
    weights_.embedding = matrix(config.vocab_size, hidden, 1.0, formats.embedding, formats);
    for (int32_t i = 0; i < config.n_layers; ++i) {
      Phi3Layer layer;
      layer.input_norm = norm(hidden);
      layer.post_norm = norm(hidden);
      layer.qkv = matrix(config.q_rows() + 2 * config.kv_rows(), hidden, 1.0, formats.qkv, formats);
      layer.o = matrix(hidden, config.q_rows(), 1.0, formats.o, formats);
      layer.gate_up = matrix(2 * config.intermediate_size, hidden, 1.0, formats.gate_up, formats);
      layer.down = matrix(hidden, config.intermediate_size, 1.0, formats.down, formats);
      weights_.layers.push_back(std::move(layer));
    }
    weights_.final_norm = norm(hidden);
    weights_.lm_head = config.tie_word_embeddings
                           ? weights_.embedding
                           : matrix(config.vocab_size, hidden, 1.0, formats.lm_head, formats);
  }

 private:
  std::vector<float> norm(int64_t n) {
    std::vector<float> weights(static_cast<size_t>(n));
    for (float& w : weights) w = 1.0f + 0.2f * rng_.normal();
    return weights;
  }

  template <class T>
  T* keep(size_t count) {
    const size_t words = (count * sizeof(T) + 7) / 8;
    buffers_.push_back(std::vector<uint64_t>(words));
    weight_bytes_ += count * sizeof(T);
    return reinterpret_cast<T*>(buffers_.back().data());
  }

  // Elements of standard deviation gain / sqrt(cols): a normed row keeps its size, times gain.
  WeightMatrix matrix(int64_t rows, int64_t cols, double gain, WeightFormat format,
                      const TinyFormats& formats) {
    WeightMatrix m;
    m.format = format;
    m.rows = rows;
    m.cols = cols;
    const size_t count = static_cast<size_t>(rows * cols);
    const float deviation = static_cast<float>(gain / std::sqrt(static_cast<double>(cols)));
    if (format == WeightFormat::kF32) {
      float* data = keep<float>(count);
      for (size_t i = 0; i < count; ++i) data[i] = deviation * rng_.normal();
      m.data = reinterpret_cast<const std::byte*>(data);
      return m;
    }
    if (!is_quantized(format)) {
      uint16_t* data = keep<uint16_t>(count);
      for (size_t i = 0; i < count; ++i) {
        const float value = deviation * rng_.normal();
        data[i] = format == WeightFormat::kF16 ? f32_to_f16(value) : f32_to_bf16(value);
      }
      m.data = reinterpret_cast<const std::byte*>(data);
      return m;
    }
    const bool u4 = format == WeightFormat::kU4;
    m.group = formats.group ? formats.group : cols;
    const size_t groups = static_cast<size_t>(rows * m.groups()), bytes = u4 ? count / 2 : count;
    uint8_t* codes = keep<uint8_t>(bytes);
    for (size_t i = 0; i < bytes; ++i) codes[i] = static_cast<uint8_t>(rng_.next());
    m.data = reinterpret_cast<const std::byte*>(codes);
    // Codes are uniform: their deviation is 4.6 and 74, and scales vary by a factor of three.
    uint16_t* scales = keep<uint16_t>(groups);
    for (size_t i = 0; i < groups; ++i)
      scales[i] =
          f32_to_f16(deviation / (u4 ? 4.6f : 74.0f) * static_cast<float>(0.5 + rng_.uniform()));
    m.scales = scales;
    if (formats.asymmetric) {
      const size_t row_bytes = static_cast<size_t>(u4 ? (m.groups() + 1) / 2 : m.groups());
      uint8_t* zero_points = keep<uint8_t>(row_bytes * static_cast<size_t>(rows));
      for (size_t i = 0; i < row_bytes * static_cast<size_t>(rows); ++i)
        zero_points[i] = static_cast<uint8_t>(u4 ? (6 + rng_.below(4)) | ((6 + rng_.below(4)) << 4)
                                                 : 118 + rng_.below(20));
      m.zero_points = zero_points;
    }
    return m;
  }

  Rng rng_;
  std::vector<std::vector<uint64_t>> buffers_;  // inner addresses stay when the outer vector grows
};

}  // namespace

Phi3Config tiny_config() {
  Phi3Config c;
  c.vocab_size = 101;
  c.hidden_size = 64;
  c.intermediate_size = 160;
  c.n_layers = 2;
  c.n_heads = 4;
  c.n_kv_heads = 2;
  c.head_dim = 24;
  c.rotary_dim = 24;
  c.max_positions = 64;
  c.original_max_positions = 64;
  return c;
}

void make_longrope(Phi3Config& config, int32_t original) {
  config.original_max_positions = original;
  LongRope rope;
  for (int32_t i = 0; i < config.rotary_dim / 2; ++i) {
    rope.short_factor.push_back(1.0f + 0.02f * static_cast<float>(i));
    rope.long_factor.push_back(1.1f + 0.6f * static_cast<float>(i));
  }
  rope.attention_factor = std::sqrt(1.0 + std::log(4.0) / std::log(original));
  config.longrope = rope;
}

std::shared_ptr<const Package> tiny_package(const Phi3Config& config, const TinyFormats& formats,
                                            uint64_t seed) {
  return std::make_shared<TinyPackage>(config, formats, seed);
}

std::vector<int32_t> tiny_tokens(const Phi3Config& config, int32_t count, uint64_t seed) {
  Rng rng(seed);
  std::vector<int32_t> ids(static_cast<size_t>(count));
  for (int32_t& id : ids)
    id = static_cast<int32_t>(rng.below(static_cast<uint64_t>(config.vocab_size)));
  return ids;
}

}  // namespace phial
