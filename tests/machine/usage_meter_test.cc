// SPDX-License-Identifier: Apache-2.0
// Two moments of each machine in trees/: what lies between them.
#include "machine/usage_meter.h"

#include <gtest/gtest.h>

#include "fake_nvml.h"
#include "temp_folder.h"

namespace phial {
namespace {

Usage second_sample(const std::string& name) {
  UsageMeter sampler(Root(fs::path(PHIAL_TREES) / (name + ".txt")));
  const Usage first = sampler.take();
  EXPECT_EQ(first.seconds, 0);
  EXPECT_EQ(first.cpu_percent, std::nullopt);  // nothing to compare with
  return sampler.take();
}

TEST(usage_meter, meteor_lake) {
  const Usage s = second_sample("meteor-lake");
  EXPECT_EQ(s.seconds, 1);
  ASSERT_EQ(s.core_percent.size(), 22u);
  EXPECT_NEAR(*s.core_percent[0], 90, 1e-9);
  EXPECT_NEAR(*s.core_percent[6], 10, 1e-9);
  EXPECT_NEAR(*s.core_percent[21], 0, 1e-9);
  EXPECT_NEAR(*s.cpu_percent, (6 * 90 + 6 * 10 + 8 * 5) / 22.0, 1e-9);
  EXPECT_NEAR(*s.core_mhz[0], 2900, 1e-9);
  EXPECT_NEAR(*s.package_watts, 18.5, 1e-9);
  ASSERT_EQ(s.devices.size(), 2u);
  EXPECT_EQ(s.devices[0].id, "card0");
  EXPECT_NEAR(*s.devices[0].busy_percent, 42, 1e-9);  // its busiest engine, compute
  EXPECT_EQ(s.devices[0].memory_used, uint64_t{2} << 30);
  EXPECT_EQ(s.devices[0].watts, std::nullopt);
  EXPECT_EQ(s.devices[1].id, "accel0");
  EXPECT_NEAR(*s.devices[1].busy_percent, 73, 1e-9);
  EXPECT_EQ(s.devices[1].mhz, 1400);
}

TEST(usage_meter, lunar_lake_tells_no_watts_but_the_battery_s) {
  const Usage s = second_sample("lunar-lake");
  EXPECT_EQ(s.package_watts, std::nullopt);
  EXPECT_NEAR(*s.battery_watts, 9.15, 1e-9);
  EXPECT_EQ(s.on_battery, true);
  ASSERT_EQ(s.devices.size(), 2u);
  EXPECT_NEAR(*s.devices[0].busy_percent, 5, 1e-9);  // cycles of a clock of 19.2 MHz
  EXPECT_EQ(s.devices[1].busy_percent, 0);           // told: it slept
}

TEST(usage_meter, nvidia) {
  const FakeNvml library;
  const Usage s = second_sample("nvidia-desktop");
  EXPECT_NEAR(*s.package_watts, 31, 1e-9);
  ASSERT_EQ(s.devices.size(), 2u);
  EXPECT_EQ(s.devices[0].busy_percent, std::nullopt);  // no client of it is seen
  EXPECT_EQ(s.devices[1].busy_percent, 87);
  EXPECT_NEAR(*s.devices[1].watts, 143.5, 1e-9);
  EXPECT_EQ(s.devices[1].memory_used, 2147483648u);
}

TEST(usage_meter, what_a_server_does_not_tell_is_null) {
  const Usage s = second_sample("server");
  EXPECT_NEAR(*s.cpu_percent, 25, 1e-9);
  EXPECT_EQ(s.package_watts, std::nullopt);
  const Json json = to_json(s);
  EXPECT_TRUE(json["package_watts"].is_null());
  EXPECT_TRUE(json["core_mhz"][0].is_null());
  EXPECT_TRUE(json["devices"][0]["busy_percent"].is_null());
}

TEST(usage_meter, the_last_moment_stays) {
  UsageMeter sampler(Root(fs::path(PHIAL_TREES) / "meteor-lake.txt"));
  sampler.take();
  sampler.take();
  EXPECT_EQ(sampler.take().cpu_percent, std::nullopt);
}

TEST(usage_meter, this_computer_is_sampled_without_complaint) {
  UsageMeter sampler{Root()};
  sampler.take();
  EXPECT_GT(sampler.take().memory.total.value_or(0), 0u);
}

TEST(drm_usage, a_client_with_several_files_counts_once_and_a_new_one_from_its_beginning) {
  std::string id;
  const auto client = [&](const char* busy) {
    return *parse_drm_client(
        "drm-driver:\ti915\ndrm-client-id:\t9\ndrm-pdev:\t0000:00:02.0\n"
        "drm-engine-capacity-video:\t2\ndrm-engine-video:\t" +
            std::string(busy) + " ns\n",
        id);
  };
  const DrmUsage before = {{"0000:00:02.0/9", client("1000000000")}};
  DrmUsage after = {{"0000:00:02.0/9", client("2000000000")}};
  EXPECT_EQ(id, "9");
  EXPECT_NEAR(*drm_busy_percent(before, after, "0000:00:02.0", 1), 50, 1e-9);
  after["0000:00:02.0/10"] = client("500000000");
  EXPECT_NEAR(*drm_busy_percent(before, after, "0000:00:02.0", 1), 75, 1e-9);
  EXPECT_EQ(drm_busy_percent(before, after, "0000:03:00.0", 1), std::nullopt);
  EXPECT_EQ(parse_drm_client("pos:\t0\n", id), std::nullopt);
}

TEST(usage_meter, a_figure_that_cannot_be_is_none) {
  const TempFolder folder;
  const fs::path file = folder.write("damaged.txt", R"(proc/stat <<
cpu  5 0 0 1
cpu0 5 0 0 1
.
sys/devices/system/cpu/cpu0/cpufreq/scaling_cur_freq = -1
sys/class/drm/card0/device/vendor = 0x1002
sys/class/drm/card0/device/uevent = DRIVER=amdgpu
sys/class/drm/card0/device/gpu_busy_percent = 140
@ 1
proc/stat <<
cpu  3 0 0 9
cpu0 3 0 0 9
.
)");
  UsageMeter meter{Root(file)};
  meter.take();
  const Usage s = meter.take();
  ASSERT_EQ(s.core_mhz.size(), 1u);
  EXPECT_EQ(s.core_mhz[0], std::nullopt);
  EXPECT_EQ(s.core_percent[0], std::nullopt);  // less work done than before
  ASSERT_EQ(s.devices.size(), 1u);
  EXPECT_EQ(s.devices[0].busy_percent, std::nullopt);
}

}  // namespace
}  // namespace phial
