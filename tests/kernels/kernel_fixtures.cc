// SPDX-License-Identifier: Apache-2.0
#include "kernels/kernel_fixtures.h"

#include "base/cpu_info.h"

namespace phial::kernels {

std::vector<Candidate> candidates() {
  std::vector<Candidate> all;
  for (const Tier& tier : tiers())
    all.push_back({tier.name, tier.runs_here ? &table(tier.name) : nullptr, tier.why_not});
#if defined(PHIAL_TEST_EVEX_TWIN)
  Candidate twin{"avx2vnni_evex", &kAvx2VnniEvexTable, ""};
  if (!cpu_features().avx512_vnni) twin = {twin.name, nullptr, "the processor lacks AVX512-VNNI"};
  all.push_back(twin);
#endif
  return all;
}

}  // namespace phial::kernels
