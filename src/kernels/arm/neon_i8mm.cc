// SPDX-License-Identifier: Apache-2.0
// The neon_i8mm tier: prompts through SMMLA (Armv8.6-A and many before: Cortex-X2, Oryon, Neoverse
// V1). What isn't about quantized weights is the neon_dotprod tier's.
#include "kernels/arm/dots_i8mm.inc.h"
#include "kernels/arm/linear_quant.inc.h"
#include "kernels/arm/pack.inc.h"
#include "kernels/kernels.h"

namespace phial::kernels {

extern const KernelTable kNeonI8mmTable;
constinit const KernelTable kNeonI8mmTable = {
    .name = "neon_i8mm",
    .pack_u8 = pack<Format::kU8>,
    .pack_u4 = pack<Format::kU4>,
    .linear_f32 = nullptr,
    .linear_f16 = nullptr,
    .linear_bf16 = nullptr,
    .linear_u8 = linear_quant<Format::kU8, Smmla>,
    .linear_u4 = linear_quant<Format::kU4, Smmla>,
    .attend = nullptr,
    .kv_type = {},
    .rms_norm = nullptr,
    .rope = nullptr,
    .silu_mul = nullptr,
    .add = nullptr,
    .f32_to_f16 = nullptr,
    .f16_to_f32 = nullptr,
    .f32_to_u8 = nullptr,
    .append_i16 = nullptr,
    .int8_peak = nullptr,
};

}  // namespace phial::kernels
