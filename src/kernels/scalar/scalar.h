// SPDX-License-Identifier: Apache-2.0
// The scalar tier: plain C++ for any processor, and what the other tiers are tested against. Built
// without ISA flags.
#pragma once

#include "kernels/kernels.h"

namespace phial::kernels {

extern const KernelTable kScalarTable;

namespace scalar {

void pack_u8(const float* x, int32_t n_tokens, int32_t cols, int32_t planes, int32_t begin,
             int32_t end, void* packed);
void pack_u4(const float* x, int32_t n_tokens, int32_t cols, int32_t planes, int32_t begin,
             int32_t end, void* packed);
void linear_f32(const Linear& l);
void linear_f16(const Linear& l);
void linear_bf16(const Linear& l);
void linear_u8(const Linear& l);
void linear_u4(const Linear& l);
void attend(const Attend& a);
void rms_norm(const float* x, const float* w, float eps, int32_t n, float* y);
void rope(float* x, int32_t n_heads, int32_t head_dim, int32_t rotary, const float* cos,
          const float* sin);
void silu_mul(const float* gate, const float* up, int32_t n, float* y);
void add(const float* x, int32_t n, float* y);
void f32_to_f16(const float* x, int64_t n, uint16_t* y);
void f16_to_f32(const uint16_t* x, int64_t n, float* y);
void f32_to_u8(const float* x, int32_t n, uint8_t* y);
void append_i16(const float* key, const float* value, int32_t head_dim, int32_t position,
                void* keys, void* values);
uint64_t int8_peak(uint64_t rounds);

}  // namespace scalar
}  // namespace phial::kernels
