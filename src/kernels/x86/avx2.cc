// SPDX-License-Identifier: Apache-2.0
// The avx2 tier: AVX2, FMA and F16C, for processors before VNNI.
#define PHIAL_DOT 0

#include "kernels/kernels.h"
#include "kernels/x86/attend.inc.h"
#include "kernels/x86/elementwise.inc.h"
#include "kernels/x86/linear_float.inc.h"
#include "kernels/x86/linear_quant.inc.h"
#include "kernels/x86/pack.inc.h"
#include "kernels/x86/peak.inc.h"
#include "kernels/x86/tile8.inc.h"

namespace phial::kernels {

extern const KernelTable kAvx2Table;
constinit const KernelTable kAvx2Table = {
    .name = "avx2",
    .pack_u8 = pack<Format::kU8>,
    .pack_u4 = pack<Format::kU4>,
    .linear_f32 = linear_float<Vec8, F32Weights<Vec8>>,
    .linear_f16 = linear_float<Vec8, F16Weights<Vec8>>,
    .linear_bf16 = linear_float<Vec8, BF16Weights<Vec8>>,
    .linear_u8 = linear_quant<Paths<Tile8, Tile8, Lines8>, Format::kU8>,
    .linear_u4 = linear_quant<Paths<Tile8, Tile8, Lines8>, Format::kU4>,
    .attend = attend<Vec8>,
    .kv_type = KvType::kI16,
    .rms_norm = rms_norm<Vec8>,
    .rope = rope<Vec8>,
    .silu_mul = silu_mul<Vec8>,
    .add = add<Vec8>,
    .f32_to_f16 = f32_to_f16<Vec8>,
    .f16_to_f32 = f16_to_f32<Vec8>,
    .f32_to_u8 = f32_to_u8,
    .append_i16 = append_i16,
    .int8_peak = int8_peak8,
};

}  // namespace phial::kernels
