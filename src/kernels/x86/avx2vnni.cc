// SPDX-License-Identifier: Apache-2.0
// The avx2vnni tier: AVX2 with VEX-encoded AVX-VNNI, the AI PC's own. The tests compile this file a
// second time with PHIAL_EVEX_TWIN, where the one instruction in question is EVEX-encoded: servers
// with AVX512-VNNI but without AVX-VNNI can then execute all of its logic
// (tests/kernels/CMakeLists.txt).
#if defined(PHIAL_EVEX_TWIN)
#define PHIAL_DOT 2
#define PHIAL_TABLE kAvx2VnniEvexTable
#define PHIAL_TABLE_NAME "avx2vnni_evex"
#else
#define PHIAL_DOT 1
#define PHIAL_TABLE kAvx2VnniTable
#define PHIAL_TABLE_NAME "avx2vnni"
#endif

#include "kernels/kernels.h"
#include "kernels/x86/attend.inc.h"
#include "kernels/x86/elementwise.inc.h"
#include "kernels/x86/linear_float.inc.h"
#include "kernels/x86/linear_quant.inc.h"
#include "kernels/x86/pack.inc.h"
#include "kernels/x86/peak.inc.h"
#include "kernels/x86/tile8.inc.h"

namespace phial::kernels {

extern const KernelTable PHIAL_TABLE;
constinit const KernelTable PHIAL_TABLE = {
    .name = PHIAL_TABLE_NAME,
    .pack_u8 = pack<Format::kU8>,
    .pack_u4 = pack<Format::kU4>,
    .linear_f32 = linear_float<Vec8, F32Weights<Vec8>>,
    .linear_f16 = linear_float<Vec8, F16Weights<Vec8>>,
    .linear_bf16 = linear_float<Vec8, BF16Weights<Vec8>>,
    .linear_u8 = linear_quant<Paths<Tile8, Tile8Of<true>, Lines8>, Format::kU8>,
    .linear_u4 = linear_quant<Paths<Tile8, Tile8Of<true>, Lines8>, Format::kU4>,
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
