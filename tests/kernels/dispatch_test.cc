// SPDX-License-Identifier: Apache-2.0
// The list of tiers, the merged tables, and PHIAL_ISA. best() chooses once a process, so each
// forced run is a child.
#include <gtest/gtest.h>

#include <cstdlib>

#include "base/error.h"
#include "kernels/kernel_fixtures.h"
#include "set_environment.h"

namespace phial::kernels {
namespace {

TEST(Dispatch, TiersAreListedLowestFirst) {
  std::vector<std::string> names;
  for (const Tier& tier : tiers()) {
    names.push_back(tier.name);
    EXPECT_EQ(tier.why_not.empty(), tier.runs_here) << tier.name;
    EXPECT_TRUE(tier.built || !tier.runs_here) << tier.name;
  }
  EXPECT_EQ(names, (std::vector<std::string>{"scalar", "avx2", "avx2vnni", "avx512vnni", "amx",
                                             "neon_dotprod", "neon_i8mm"}));
  EXPECT_TRUE(tiers()[0].runs_here);
}

TEST(Dispatch, EveryTableIsComplete) {
  for (const Tier& tier : tiers()) {
    if (!tier.runs_here) continue;
    const KernelTable& t = table(tier.name);
    EXPECT_EQ(t.name, tier.name);
    EXPECT_TRUE(t.pack_u8 && t.pack_u4 && t.linear_f32 && t.linear_f16 && t.linear_bf16 &&
                t.linear_u8 && t.linear_u4 && t.attend && t.rms_norm && t.rope && t.silu_mul &&
                t.add && t.f32_to_f16 && t.f16_to_f32 && t.f32_to_u8 && t.int8_peak)
        << tier.name;
  }
}

TEST(Dispatch, UnknownTierIsRefusedWithTheList) {
  try {
    table("sse9");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::kInvalidArgument);
    EXPECT_NE(std::string(error.what())
                  .find("scalar, avx2, avx2vnni, avx512vnni, amx, neon_dotprod, neon_i8mm"),
              std::string::npos)
        << error.what();
  }
}

TEST(Dispatch, TierThatCantRunIsRefused) {
  for (const Tier& tier : tiers()) {
    if (tier.runs_here) continue;
    try {
      table(tier.name);
      FAIL() << tier.name;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), Code::kUnsupported);
      EXPECT_NE(std::string(error.what()).find(tier.why_not), std::string::npos) << error.what();
    }
  }
}

// Runs in a child process: prints what best() gives under PHIAL_ISA=`isa` and exits with 0, or 1
// where it throws.
[[noreturn]] void print_best(const char* isa) {
  set_environment("PHIAL_ISA", isa);
  try {
    std::fprintf(stderr, "runs %s.", best().name);
    std::exit(&best() == &best() ? 0 : 2);
  } catch (const Error& error) {
    std::fprintf(stderr, "refused: %s", error.what());
    std::exit(1);
  }
}

TEST(DispatchDeathTest, ForcedTierIsTheOneThatRuns) {
  testing::GTEST_FLAG(death_test_style) = "threadsafe";
  for (const Tier& tier : tiers()) {
    if (tier.runs_here)
      EXPECT_EXIT(print_best(tier.name.c_str()), testing::ExitedWithCode(0),
                  "runs " + tier.name + "\\.");
    else
      EXPECT_EXIT(print_best(tier.name.c_str()), testing::ExitedWithCode(1),
                  "refused: .*PHIAL_ISA.*" + tier.name);
  }
}

TEST(DispatchDeathTest, UnknownForcedTierIsRefused) {
  testing::GTEST_FLAG(death_test_style) = "threadsafe";
  EXPECT_EXIT(print_best("AVX2"), testing::ExitedWithCode(1),
              "refused: .*PHIAL_ISA.*unknown kernel tier 'AVX2'");
}

TEST(DispatchDeathTest, EmptyMeansTheBest) {
  testing::GTEST_FLAG(death_test_style) = "threadsafe";
  std::string highest;
  for (const Tier& tier : tiers())
    if (tier.runs_here) highest = tier.name;
  EXPECT_EXIT(print_best(""), testing::ExitedWithCode(0), "runs " + highest + "\\.");
}

}  // namespace
}  // namespace phial::kernels
