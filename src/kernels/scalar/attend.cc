// SPDX-License-Identifier: Apache-2.0
// Attention in double precision, one query after the other: the measure for the vector tiers, not
// fast.
#include <cmath>

#include "kernels/attend_shape.inc.h"
#include "kernels/half_bits.inc.h"
#include "kernels/kv_i16.inc.h"
#include "kernels/kv_u8.inc.h"
#include "kernels/scalar/scalar.h"

namespace phial::kernels::scalar {
namespace {

// One number of a cache: column d of the key or the value at a position.
struct F32Kv {
  static double number(const Attend& a, const void* base, int32_t position, int32_t d) {
    return static_cast<double>(static_cast<const float*>(base)[position * a.kv_stride + d]);
  }
  static double key(const Attend& a, int32_t j, int32_t d) { return number(a, a.k, j, d); }
  static double value(const Attend& a, int32_t j, int32_t d) { return number(a, a.v, j, d); }
};
struct F16Kv {
  static double number(const Attend& a, const void* base, int32_t position, int32_t d) {
    return static_cast<double>(
        f16_value(static_cast<const uint16_t*>(base)[position * a.kv_stride + d]));
  }
  static double key(const Attend& a, int32_t j, int32_t d) { return number(a, a.k, j, d); }
  static double value(const Attend& a, int32_t j, int32_t d) { return number(a, a.v, j, d); }
};
struct U8Kv {
  static double number(const Attend& a, const void* base, int32_t position, int32_t d) {
    const uint8_t* row = static_cast<const uint8_t*>(base) + position * a.kv_stride;
    float scale, offset;
    u8_tail(row, a.head_dim, &scale, &offset);
    return static_cast<double>(std::fma(static_cast<float>(row[d]), scale, offset));
  }
  static double key(const Attend& a, int32_t j, int32_t d) { return number(a, a.k, j, d); }
  static double value(const Attend& a, int32_t j, int32_t d) { return number(a, a.v, j, d); }
};
struct I16Kv {
  static double key(const Attend& a, int32_t j, int32_t d) {
    return static_cast<double>(I16Block(a.k, j, a.head_dim).key(j % kKvBlock, d));
  }
  static double value(const Attend& a, int32_t j, int32_t d) {
    return static_cast<double>(I16Block(a.v, j, a.head_dim).value(j % kKvBlock, d));
  }
};

// One query head of one token: keys [begin, end). `sums` holds head_dim doubles.
template <class Kv>
void attend_query(const Attend& a, const float* q, int32_t begin, int32_t end, double* sums,
                  float* out) {
  for (int32_t d = 0; d < a.head_dim; d++) sums[d] = 0;
  double largest = -INFINITY, total = 0;
  for (int32_t block = begin; block < end; block += kKeyBlock) {
    const int32_t n = min_of(kKeyBlock, end - block);
    double scores[kKeyBlock], block_largest = -INFINITY;
    for (int32_t j = 0; j < n; j++) {
      double dot = 0;
      for (int32_t d = 0; d < a.head_dim; d++)
        dot += static_cast<double>(q[d]) * Kv::key(a, block + j, d);
      scores[j] = dot * static_cast<double>(a.scale);
      block_largest = std::fmax(block_largest, scores[j]);
    }
    const double new_largest = std::fmax(largest, block_largest),
                 shrink = std::exp(largest - new_largest);
    largest = new_largest;
    total *= shrink;
    for (int32_t d = 0; d < a.head_dim; d++) sums[d] *= shrink;
    for (int32_t j = 0; j < n; j++) {
      const double p = std::exp(scores[j] - largest);
      total += p;
      for (int32_t d = 0; d < a.head_dim; d++) sums[d] += p * Kv::value(a, block + j, d);
    }
  }
  for (int32_t d = 0; d < a.head_dim; d++) out[d] = static_cast<float>(sums[d] / total);
}

template <class Kv>
void attend_all(const Attend& a) {
  double* sums = reinterpret_cast<double*>(aligned_scratch(a.scratch));
  for (int32_t t = 0; t < a.n_tokens; t++) {
    const int32_t position = a.q_position + t;
    for (int32_t h = 0; h < a.n_heads; h++)
      attend_query<Kv>(a, a.q + t * a.q_stride + h * a.head_dim, first_key(position, a.window),
                       position + 1, sums, a.out + t * a.out_stride + h * a.head_dim);
  }
}

}  // namespace

void attend(const Attend& a) {
  if (a.kv_type == KvType::kF16)
    attend_all<F16Kv>(a);
  else if (a.kv_type == KvType::kU8)
    attend_all<U8Kv>(a);
  else if (a.kv_type == KvType::kI16)
    attend_all<I16Kv>(a);
  else
    attend_all<F32Kv>(a);
}

}  // namespace phial::kernels::scalar
