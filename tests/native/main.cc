// SPDX-License-Identifier: Apache-2.0
// The tests run once with the best kernels of this machine, and once for every tier, forced by
// PHIAL_ISA. A tier that can't run here ends the program with 77, which CTest reports as skipped,
// and the reason.
#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>

#include "kernels/dispatch.h"

int main(int argc, char** argv) {
  ::testing::InitGoogleTest(&argc, argv);
  if (const char* forced = std::getenv("PHIAL_ISA"))
    for (const phial::kernels::Tier& tier : phial::kernels::tiers())
      if (tier.name == forced && !(tier.built && tier.runs_here)) {
        std::printf("skipped: tier %s: %s\n", forced, tier.why_not.c_str());
        return 77;
      }
  return RUN_ALL_TESTS();
}
