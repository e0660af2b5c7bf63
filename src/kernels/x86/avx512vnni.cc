// SPDX-License-Identifier: Apache-2.0
// The avx512vnni tier: AVX-512 (F, BW, VL, DQ) with VNNI.
#define PHIAL_DOT 2
#define PHIAL_ZMM

#include "kernels/kernels.h"
#include "kernels/x86/attend.inc.h"
#include "kernels/x86/elementwise.inc.h"
#include "kernels/x86/linear_float.inc.h"
#include "kernels/x86/linear_quant.inc.h"
#include "kernels/x86/linear_quant_lines16.inc.h"
#include "kernels/x86/pack.inc.h"
#include "kernels/x86/peak.inc.h"
#include "kernels/x86/tile16.inc.h"
#include "kernels/x86/vec16.inc.h"

namespace phial::kernels {

extern const KernelTable kAvx512VnniTable;
constinit const KernelTable kAvx512VnniTable = {
    .name = "avx512vnni",
    .pack_u8 = pack<Format::kU8>,
    .pack_u4 = pack<Format::kU4>,
    .linear_f32 = linear_float<Vec16, F32Weights<Vec16>>,
    .linear_f16 = linear_float<Vec16, F16Weights<Vec16>>,
    .linear_bf16 = linear_float<Vec16, BF16Weights<Vec16>>,
    .linear_u8 = linear_quant<Paths<Tile16, Tile16Of<true>, Lines16>, Format::kU8>,
    .linear_u4 = linear_quant<Paths<Tile16, Tile16Of<true>, Lines16>, Format::kU4>,
    .attend = attend<Vec16>,
    .kv_type = KvType::kI16,
    .rms_norm = rms_norm<Vec16>,
    .rope = rope<Vec16>,
    .silu_mul = silu_mul<Vec16>,
    .add = add<Vec16>,
    .f32_to_f16 = f32_to_f16<Vec16>,
    .f16_to_f32 = f16_to_f32<Vec16>,
    .f32_to_u8 = f32_to_u8,
    .append_i16 = append_i16,
    .int8_peak = int8_peak16,
};

}  // namespace phial::kernels
