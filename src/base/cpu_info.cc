// SPDX-License-Identifier: Apache-2.0
// CPUID leaves and bits: Intel SDM volume 2A, "CPUID"; XCR0: volume 1, chapter 13. Everything else
// is in cpu_info_posix.cc and cpu_info_windows.cc.
#include "base/cpu_info.h"

#if defined(__x86_64__)
#include <cpuid.h>
#elif defined(__aarch64__) && defined(__linux__)
#include <sys/auxv.h>
#endif

namespace phial {
namespace {

CpuFeatures detect() {
  CpuFeatures f;
#if defined(__x86_64__)
  unsigned a, b, c, d;
  if (!__get_cpuid(1, &a, &b, &c, &d)) return f;
  const bool osxsave = c & (1u << 27), fma = c & (1u << 12), f16c = c & (1u << 29);
  if (!osxsave) return f;
  unsigned xcr0_low, xcr0_high;
  __asm__ volatile("xgetbv" : "=a"(xcr0_low), "=d"(xcr0_high) : "c"(0));
  const bool ymm = (xcr0_low & 0x6) == 0x6, zmm = (xcr0_low & 0xE6) == 0xE6;
  const bool tiles = (xcr0_low & 0x60000) == 0x60000;
  unsigned a1 = 0, b1, c1, d1;
  if (!__get_cpuid_count(7, 0, &a, &b, &c, &d)) return f;
  if (a >= 1) __get_cpuid_count(7, 1, &a1, &b1, &c1, &d1);
  f.avx2 = ymm && fma && f16c && (b & (1u << 5)) && (b & (1u << 8));
  f.avx_vnni = f.avx2 && (a1 & (1u << 4));
  f.avx512 = zmm && (b & (1u << 16)) && (b & (1u << 17)) && (b & (1u << 30)) && (b & (1u << 31));
  f.avx512_vnni = f.avx512 && (c & (1u << 11));
  f.avx512_bf16 = f.avx512 && (a1 & (1u << 5));
  f.amx_int8 = tiles && (d & (1u << 24)) && (d & (1u << 25));
  f.amx_bf16 = tiles && (d & (1u << 24)) && (d & (1u << 22));
#elif defined(__aarch64__) && defined(__linux__)
  constexpr unsigned long kDotProduct = 1ul << 20;  // HWCAP_ASIMDDP of the kernel's asm/hwcap.h
  constexpr unsigned long kI8mm = 1ul << 13;        // HWCAP2_I8MM there
  f.dotprod = (::getauxval(AT_HWCAP) & kDotProduct) != 0;
  f.i8mm = (::getauxval(AT_HWCAP2) & kI8mm) != 0;
#endif
  return f;
}

}  // namespace

const CpuFeatures& cpu_features() {
  static const CpuFeatures features = detect();
  return features;
}

}  // namespace phial
