// SPDX-License-Identifier: Apache-2.0
#include "kernels/scalar/scalar.h"

namespace phial::kernels {

constinit const KernelTable kScalarTable = {
    .name = "scalar",
    .pack_u8 = scalar::pack_u8,
    .pack_u4 = scalar::pack_u4,
    .linear_f32 = scalar::linear_f32,
    .linear_f16 = scalar::linear_f16,
    .linear_bf16 = scalar::linear_bf16,
    .linear_u8 = scalar::linear_u8,
    .linear_u4 = scalar::linear_u4,
    .attend = scalar::attend,
    .kv_type = KvType::kF16,
    .rms_norm = scalar::rms_norm,
    .rope = scalar::rope,
    .silu_mul = scalar::silu_mul,
    .add = scalar::add,
    .f32_to_f16 = scalar::f32_to_f16,
    .f16_to_f32 = scalar::f16_to_f32,
    .f32_to_u8 = scalar::f32_to_u8,
    .append_i16 = scalar::append_i16,
    .int8_peak = scalar::int8_peak,
};

}  // namespace phial::kernels
