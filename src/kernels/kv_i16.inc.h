// SPDX-License-Identifier: Apache-2.0
// A block of KvType::kI16: where its numbers lie, and how a position's key and value get there.
// Plain loops, which a compiler turns into the vectors of the including file's tier; the same bits
// on all. Local to the file that includes it.
//
// A block holds kKvBlock positions of one head, as pairs of int16, then the positions' scales. A
// pair is what one integer instruction multiplies and adds, so attention reads both as they lie:
//   keys    [dim / 2][position] pairs of columns,        then f32 [position]
//   values  [position / 2][dim] pairs of positions,      then f32 [position]
// dim: head_dim rounded up to 16, with zeros behind.
#pragma once

#include <stdint.h>

#include "kernels/kernels.h"

namespace phial::kernels {
namespace {

// |code| <= kI16Limit. Sums of products fit int32: over up to 128 columns with codes of a query of
// the same size, over the 64 positions of a block with weights of up to kI16Weight.
constexpr int32_t kI16Limit = 4095, kI16Weight = 8191;
static_assert(int64_t{kI16Limit} * kI16Limit * 128 <= INT32_MAX);
static_assert(int64_t{kI16Limit} * kI16Weight * kKvBlock <= INT32_MAX);

constexpr int32_t i16_dim(int32_t head_dim) { return (head_dim + 15) / 16 * 16; }

// Of a block, in bytes: where the scales begin.
constexpr int64_t i16_scales_at(int32_t head_dim) {
  return int64_t{kKvBlock} * i16_dim(head_dim) * 2;
}
constexpr int64_t i16_block_bytes(int32_t head_dim) {
  return i16_scales_at(head_dim) + kKvBlock * static_cast<int64_t>(sizeof(float));
}

// codes[i] = x[i] / scale, rounded to nearest even; returns the scale, largest |x| / limit. Rows of
// zeros get a tiny one: it has a logarithm and an inverse.
inline float f32_to_i16(const float* x, int32_t n, int32_t limit, int16_t* codes) {
  int32_t largest_bits = 0;  // bits of floats without their signs are in the floats' order
  for (int32_t i = 0; i < n; i++) {
    int32_t bits;
    __builtin_memcpy(&bits, x + i, sizeof bits);
    bits &= INT32_MAX;
    largest_bits = bits > largest_bits ? bits : largest_bits;
  }
  float largest;
  __builtin_memcpy(&largest, &largest_bits, sizeof largest);
  constexpr float kTiny = 1e-30f;
  const float scale = largest < kTiny * kI16Limit ? kTiny : largest / static_cast<float>(limit);
  const float inverse = 1.0f / scale;
  for (int32_t i = 0; i < n; i++) {
    // 1.5 * 2^23: the sum's last bits are the number, rounded to nearest even.
    const float shifted = x[i] * inverse + 12582912.0f;
    int32_t bits;
    __builtin_memcpy(&bits, &shifted, sizeof bits);
    codes[i] = static_cast<int16_t>(bits);
  }
  return scale;
}

// The key and the value of `position` to their places in the head's blocks.
inline void append_i16(const float* key, const float* value, int32_t head_dim, int32_t position,
                       void* keys, void* values) {
  constexpr int32_t kMost = 1024;  // phi3_config.cc allows no larger head
  const int32_t dim = i16_dim(head_dim), at = position % kKvBlock;
  const int64_t block = position / kKvBlock * i16_block_bytes(head_dim);
  char* const k = static_cast<char*>(keys) + block;
  char* const v = static_cast<char*>(values) + block;
  int16_t codes[kMost];
  for (int32_t d = head_dim; d < dim; d++) codes[d] = 0;
  const float key_scale = f32_to_i16(key, head_dim, kI16Limit, codes);
  for (int32_t pair = 0; pair < dim / 2; pair++)
    __builtin_memcpy(k + (int64_t{pair} * kKvBlock + at) * 4, codes + 2 * pair, 4);
  const float value_scale = f32_to_i16(value, head_dim, kI16Limit, codes);
  int16_t* const to = reinterpret_cast<int16_t*>(v) + int64_t{at / 2} * dim * 2 + at % 2;
  for (int32_t d = 0; d < dim; d++) to[2 * d] = codes[d];
  __builtin_memcpy(k + i16_scales_at(head_dim) + at * 4, &key_scale, 4);
  __builtin_memcpy(v + i16_scales_at(head_dim) + at * 4, &value_scale, 4);
}

// Codes of a block and their scales, for tiers that compute with floats.
struct I16Block {
  const char* p;
  int32_t head_dim;
  I16Block(const void* blocks, int32_t position, int32_t head_dim_)
      : p(static_cast<const char*>(blocks) + position / kKvBlock * i16_block_bytes(head_dim_)),
        head_dim(head_dim_) {}
  float scale(int32_t at) const {
    float scale;
    __builtin_memcpy(&scale, p + i16_scales_at(head_dim) + at * 4, 4);
    return scale;
  }
  float key(int32_t at, int32_t d) const {
    return static_cast<float>(
               reinterpret_cast<const int16_t*>(p)[(int64_t{d / 2} * kKvBlock + at) * 2 + d % 2]) *
           scale(at);
  }
  float value(int32_t at, int32_t d) const {
    return static_cast<float>(reinterpret_cast<const int16_t*>(
               p)[(int64_t{at / 2} * i16_dim(head_dim) + d) * 2 + at % 2]) *
           scale(at);
  }
};

}  // namespace
}  // namespace phial::kernels
