// SPDX-License-Identifier: Apache-2.0
// What this processor is and can do, as far as CPUID and the operating system's XCR0 allow it.
// Facts only: which kernels are chosen is kernels/dispatch.
#pragma once

#include <cstdint>
#include <string>

namespace phial {

struct CpuFeatures {
  bool avx2 = false;      // AVX2, FMA, F16C and BMI2, and the system saves ymm
  bool avx_vnni = false;  // VEX-encoded VNNI (client CPUs without AVX-512)
  bool avx512 = false;    // F, BW, VL, DQ, and the system saves zmm
  bool avx512_vnni = false;
  bool avx512_bf16 = false;
  bool amx_int8 = false;  // the system saves tiles; see also tile_data_allowed()
  bool amx_bf16 = false;
  bool dotprod = false;  // aarch64: SDOT and UDOT
  bool i8mm = false;     // aarch64: SMMLA and its like
};

const CpuFeatures& cpu_features();

// Asks the system, once a process and for all its threads, for leave to use AMX tiles. Without it
// the first use of a tile ends the process. Ask only where cpu_features() has AMX.
bool tile_data_allowed();

// "Intel(R) Core(TM) Ultra 7 155H", or "unknown".
std::string cpu_name();

// Logical processors that this process may run on (its affinity mask), at least 1.
int available_threads();

// Physical memory in bytes, 0 if unknown.
uint64_t physical_memory_bytes();

// The largest resident set of this process so far in bytes, 0 if unknown.
uint64_t peak_rss_bytes();

}  // namespace phial
