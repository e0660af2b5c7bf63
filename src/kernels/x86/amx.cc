// SPDX-License-Identifier: Apache-2.0
// The amx tier: avx512vnni, and AMX's integer tiles where many tokens meet quantized weights. The
// tests compile this file a second time with PHIAL_AMX_TWIN, where a model in plain C++ stands for
// the tiles: all but the instructions themselves runs on processors without AMX
// (tests/kernels/CMakeLists.txt).
#define PHIAL_DOT 2
#define PHIAL_ZMM
#if defined(PHIAL_AMX_TWIN)
#define PHIAL_TABLE kAmxEmulatedTable
#define PHIAL_TABLE_NAME "amx_emulated"
#else
#define PHIAL_TABLE kAmxTable
#define PHIAL_TABLE_NAME "amx"
#endif

#include "kernels/kernels.h"
#include "kernels/x86/linear_quant_tiles.inc.h"

namespace phial::kernels {

extern const KernelTable PHIAL_TABLE;
constinit const KernelTable PHIAL_TABLE = {
    .name = PHIAL_TABLE_NAME,
    .pack_u8 = pack_for_tiles<Format::kU8>,
    .pack_u4 = pack_for_tiles<Format::kU4>,
    .linear_u8 = linear_quant_tiles<Format::kU8>,
    .linear_u4 = linear_quant_tiles<Format::kU4>,
    .int8_peak = int8_peak_tiles,
};

}  // namespace phial::kernels
