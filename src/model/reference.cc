// SPDX-License-Identifier: Apache-2.0
// Read from the top of reference_forward at the end of the file. Sums run in double, so that the
// result is nearer to the exact one than any engine's; every value that a float32 model would store
// is a float.
#include "model/reference.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "model/rope.h"

namespace phial {
namespace {

using Floats = std::vector<float>;

// in [n, cols] -> [n, rows]: y = x W^T
Floats linear(const WeightMatrix& w, const Floats& in) {
  const size_t rows = static_cast<size_t>(w.rows), cols = static_cast<size_t>(w.cols),
               n = in.size() / cols;
  Floats out(n * rows), row(cols);
  for (size_t r = 0; r < rows; ++r) {
    dequantize_row(w, static_cast<int64_t>(r), row.data());
    for (size_t t = 0; t < n; ++t) {
      double sum = 0;
      for (size_t c = 0; c < cols; ++c) sum += static_cast<double>(in[t * cols + c]) * row[c];
      out[t * rows + r] = static_cast<float>(sum);
    }
  }
  return out;
}

// Each row of x [n, weight.size()] over its root mean square, times the weight.
Floats rms_norm(const Floats& x, const Floats& weight, float eps) {
  const size_t hidden = weight.size();
  Floats out(x.size());
  for (size_t at = 0; at < x.size(); at += hidden) {
    double squares = 0;
    for (size_t i = 0; i < hidden; ++i) squares += static_cast<double>(x[at + i]) * x[at + i];
    const double scale = 1.0 / std::sqrt(squares / static_cast<double>(hidden) + eps);
    for (size_t i = 0; i < hidden; ++i)
      out[at + i] = weight[i] * static_cast<float>(x[at + i] * scale);
  }
  return out;
}

// Rotates the first 2 * half values of one head: pairs are (i, i + half); the rest of the head
// passes through.
void rotate(float* head, const float* cos, const float* sin, size_t half) {
  for (size_t i = 0; i < half; ++i) {
    const float a = head[i], b = head[i + half];
    head[i] = a * cos[i] - b * sin[i];
    head[i + half] = b * cos[i] + a * sin[i];
  }
}

// qkv [n, all Q heads | all K heads | all V heads]: rotates the Q and K heads of every position.
void apply_rope(const Phi3Config& c, const Rope& rope, Floats& qkv) {
  const size_t dim = static_cast<size_t>(c.head_dim), half = static_cast<size_t>(rope.half());
  const size_t rotated = static_cast<size_t>(c.n_heads + c.n_kv_heads);
  const size_t row = static_cast<size_t>(c.q_rows() + 2 * c.kv_rows()), n = qkv.size() / row;
  const bool long_factors =
      c.uses_long_factors(static_cast<int64_t>(n));  // one set for the whole sequence
  Floats cos(half), sin(half);
  for (size_t t = 0; t < n; ++t) {
    rope.at(static_cast<int64_t>(t), long_factors, cos.data(), sin.data());
    for (size_t h = 0; h < rotated; ++h)
      rotate(&qkv[t * row + h * dim], cos.data(), sin.data(), half);
  }
}

// qkv as above, rotated -> [n, n_heads * head_dim]. Query i sees the keys j <= i, with a window W
// those with j > i - W.
Floats attention(const Phi3Config& c, const Floats& qkv) {
  const size_t dim = static_cast<size_t>(c.head_dim), n_heads = static_cast<size_t>(c.n_heads);
  const size_t q_rows = static_cast<size_t>(c.q_rows()), kv_rows = static_cast<size_t>(c.kv_rows());
  const size_t row = q_rows + 2 * kv_rows, n = qkv.size() / row;
  const size_t window = c.sliding_window > 0 ? static_cast<size_t>(c.sliding_window) : n;
  const size_t sharing =
      n_heads / static_cast<size_t>(c.n_kv_heads);  // consecutive query heads with one kv head
  const double scale = 1.0 / std::sqrt(static_cast<double>(dim));
  Floats out(n * q_rows);
  std::vector<double> scores(n), sum(dim);
  for (size_t i = 0; i < n; ++i) {
    const size_t first = i + 1 > window ? i + 1 - window : 0;
    for (size_t h = 0; h < n_heads; ++h) {
      const float* q = &qkv[i * row + h * dim];
      const size_t k_at = q_rows + h / sharing * dim, v_at = k_at + kv_rows;
      double largest = -INFINITY;
      for (size_t j = first; j <= i; ++j) {
        const float* k = &qkv[j * row + k_at];
        double dot = 0;
        for (size_t d = 0; d < dim; ++d) dot += static_cast<double>(q[d]) * k[d];
        scores[j] = dot * scale;
        largest = std::max(largest, scores[j]);
      }
      double total = 0;
      std::fill(sum.begin(), sum.end(), 0.0);
      for (size_t j = first; j <= i; ++j) {
        const double p = std::exp(scores[j] - largest);
        const float* v = &qkv[j * row + v_at];
        for (size_t d = 0; d < dim; ++d) sum[d] += p * v[d];
        total += p;
      }
      for (size_t d = 0; d < dim; ++d)
        out[i * q_rows + h * dim + d] = static_cast<float>(sum[d] / total);
    }
  }
  return out;
}

// down(up * silu(gate)), with gate and up the two halves of one product.
Floats mlp(const Phi3Layer& layer, const Floats& x) {
  const size_t inner = static_cast<size_t>(layer.down.cols);
  const Floats gate_up = linear(layer.gate_up, x);
  const size_t n = gate_up.size() / (2 * inner);
  Floats product(n * inner);
  for (size_t t = 0; t < n; ++t)
    for (size_t i = 0; i < inner; ++i) {
      const double gate = gate_up[t * 2 * inner + i], up = gate_up[t * 2 * inner + inner + i];
      product[t * inner + i] = static_cast<float>(up * gate / (1.0 + std::exp(-gate)));
    }
  return linear(layer.down, product);
}

void add(Floats& x, const Floats& more) {
  for (size_t i = 0; i < x.size(); ++i) x[i] += more[i];
}

}  // namespace

std::vector<float> reference_forward(const Phi3Config& config, const Phi3Weights& weights,
                                     std::span<const int32_t> ids, int64_t last) {
  const size_t hidden = static_cast<size_t>(config.hidden_size), n = ids.size();
  Floats x(n * hidden);  // the residual stream, [n, hidden]
  for (size_t t = 0; t < n; ++t) {
    if (ids[t] < 0 || ids[t] >= config.vocab_size)
      throw_error(Code::kInvalidArgument,
                  "token id {} at position {} is outside the vocabulary of {}", ids[t], t,
                  config.vocab_size);
    dequantize_row(weights.embedding, ids[t], &x[t * hidden]);
  }

  const Rope rope(config);
  for (const Phi3Layer& layer : weights.layers) {
    Floats qkv = linear(layer.qkv, rms_norm(x, layer.input_norm, config.rms_norm_eps));
    apply_rope(config, rope, qkv);
    add(x, linear(layer.o, attention(config, qkv)));
    add(x, mlp(layer, rms_norm(x, layer.post_norm, config.rms_norm_eps)));
  }

  if (last > 0 && static_cast<size_t>(last) < n)
    x.erase(x.begin(), x.end() - static_cast<ptrdiff_t>(static_cast<size_t>(last) * hidden));
  return linear(weights.lm_head, rms_norm(x, weights.final_norm, config.rms_norm_eps));
}

}  // namespace phial
