// SPDX-License-Identifier: Apache-2.0
#include "kernels/kernel_fixtures.h"

#include "base/cpu_info.h"

namespace phial::kernels {

#if defined(PHIAL_TEST_X86_TWINS)
namespace {

const KernelTable& emulated_amx() {
  static const KernelTable merged = [] {
    const KernelTable& own = kAmxEmulatedTable;
    if (!cpu_features().avx512_vnni) return own;
    KernelTable t = table("avx512vnni");
    t.name = own.name;
    t.pack_u8 = own.pack_u8;
    t.pack_u4 = own.pack_u4;
    t.linear_u8 = own.linear_u8;
    t.linear_u4 = own.linear_u4;
    t.int8_peak = own.int8_peak;
    return t;
  }();
  return merged;
}

}  // namespace
#endif

std::vector<Candidate> candidates() {
  std::vector<Candidate> all;
  for (const Tier& tier : tiers())
    all.push_back({tier.name, tier.runs_here ? &table(tier.name) : nullptr, tier.why_not});
#if defined(PHIAL_TEST_X86_TWINS)
  for (const KernelTable* twin : {&kAvx2VnniEvexTable, &emulated_amx()}) {
    if (cpu_features().avx512_vnni)
      all.push_back({twin->name, twin, ""});
    else
      all.push_back({twin->name, nullptr, "the processor lacks AVX512-VNNI"});
  }
#endif
  return all;
}

}  // namespace phial::kernels
