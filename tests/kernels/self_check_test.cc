// SPDX-License-Identifier: Apache-2.0
// The check that unproven tiers go through: right tables pass, wrong ones don't.
#include "kernels/self_check.h"

#include <gtest/gtest.h>

#include "kernels/kernel_fixtures.h"

namespace phial::kernels {
namespace {

TEST(SelfCheck, EveryTierPasses) {
  for (const Candidate& candidate : candidates()) {
    if (!candidate.table) continue;
    EXPECT_EQ(self_check(*candidate.table, table("scalar")), "") << candidate.name;
  }
}

// The last token's last output is off by its lowest bit.
void slightly_wrong(const Linear& l) {
  table("scalar").linear_u4(l);
  float& last = l.y[(l.n_tokens - 1) * l.y_stride + l.row_end - 1];
  last = std::nextafter(last, 1e30f);
}

TEST(SelfCheck, OneWrongBitIsRefused) {
  KernelTable wrong = table("scalar");
  wrong.linear_u4 = slightly_wrong;
  EXPECT_EQ(self_check(wrong, table("scalar")),
            "its products aren't those of scalar on this processor");
}

}  // namespace
}  // namespace phial::kernels
