// SPDX-License-Identifier: Apache-2.0
// The neon_dotprod tier: Armv8.2-A with SDOT (every 64-bit Arm of a PC).
#include "kernels/arm/attend.inc.h"
#include "kernels/arm/elementwise.inc.h"
#include "kernels/arm/linear_float.inc.h"
#include "kernels/arm/linear_quant.inc.h"
#include "kernels/arm/pack.inc.h"
#include "kernels/arm/peak.inc.h"
#include "kernels/kernels.h"

namespace phial::kernels {

extern const KernelTable kNeonDotprodTable;
constinit const KernelTable kNeonDotprodTable = {
    .name = "neon_dotprod",
    .pack_u8 = pack<Format::kU8>,
    .pack_u4 = pack<Format::kU4>,
    .linear_f32 = linear_float<F32Weights>,
    .linear_f16 = linear_float<F16Weights>,
    .linear_bf16 = linear_float<BF16Weights>,
    .linear_u8 = linear_quant<Format::kU8, Sdot>,
    .linear_u4 = linear_quant<Format::kU4, Sdot>,
    .attend = attend,
    .kv_type = KvType::kF16,
    .rms_norm = rms_norm,
    .rope = rope,
    .silu_mul = silu_mul,
    .add = add,
    .f32_to_f16 = f32_to_f16,
    .f16_to_f32 = f16_to_f32,
    .f32_to_u8 = f32_to_u8,
    .append_i16 = append_i16,
    .int8_peak = int8_peak,
};

}  // namespace phial::kernels
