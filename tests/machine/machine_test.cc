// SPDX-License-Identifier: Apache-2.0
// What is read of the machines in trees/.
#include "machine/machine.h"

#include <gtest/gtest.h>

#include "fake_nvml.h"
#include "temp_folder.h"

namespace phial {
namespace {

Machine machine(const std::string& name) {
  return read_machine(Root(fs::path(PHIAL_TREES) / (name + ".txt")));
}

TEST(machine, meteor_lake) {
  const Machine m = machine("meteor-lake");
  EXPECT_EQ(m.system, "Ubuntu 24.04.3 LTS");
  EXPECT_EQ(m.cpu.name, "Intel(R) Core(TM) Ultra 7 155H");
  EXPECT_EQ(m.cpu.logical, 22);
  EXPECT_EQ(m.cpu.l3_bytes, 24u << 20);
  ASSERT_EQ(m.cpu.kinds.size(), 3u);
  EXPECT_EQ(m.cpu.kinds[0].name, "performance");
  EXPECT_EQ(m.cpu.kinds[0].cores, 6);
  EXPECT_EQ(m.cpu.kinds[0].cpus.size(), 12u);
  EXPECT_EQ(m.cpu.kinds[0].max_mhz, 4800);
  EXPECT_EQ(m.cpu.kinds[1].name, "efficiency");
  EXPECT_EQ(m.cpu.kinds[1].cores, 8);
  EXPECT_EQ(m.cpu.kinds[2].name, "low-power efficiency");
  EXPECT_EQ(m.cpu.kinds[2].cpus, (std::vector<int>{20, 21}));
  EXPECT_EQ(m.memory.total, 32594540ull * 1024);
  ASSERT_EQ(m.gpus.size(), 1u);
  EXPECT_EQ(m.gpus[0].id, "card0");
  EXPECT_EQ(m.gpus[0].vendor, "Intel");
  EXPECT_EQ(m.gpus[0].name, "Arc Graphics (Meteor Lake)");
  EXPECT_EQ(m.gpus[0].driver, "i915");
  EXPECT_EQ(m.gpus[0].integrated, true);
  EXPECT_EQ(m.gpus[0].mhz, 1300);
  EXPECT_EQ(m.gpus[0].max_mhz, 2250);
  EXPECT_EQ(m.gpus[0].memory_bytes, std::nullopt);  // it has none of its own
  EXPECT_EQ(m.gpus[0].node->path, "/dev/dri/renderD128");
  EXPECT_EQ(m.gpus[0].node->owner, "root:render 0660");
  EXPECT_EQ(m.gpus[0].node->may_use, true);
  ASSERT_EQ(m.npus.size(), 1u);
  EXPECT_EQ(m.npus[0].name, "NPU 3720 (Meteor Lake)");
  EXPECT_EQ(m.npus[0].driver, "intel_vpu");
  EXPECT_EQ(m.npus[0].mhz, 1400);
  EXPECT_EQ(m.npus[0].memory_used, 2415919104u);
  EXPECT_EQ(m.npus[0].node->may_use, true);
  EXPECT_EQ(m.power.on_battery, false);
  EXPECT_EQ(m.power.battery_percent, 80);
  EXPECT_EQ(m.power.battery_watts, std::nullopt);
}

TEST(machine, lunar_lake_sleeps_runs_on_its_battery_and_its_user_may_not_use_it) {
  const Machine m = machine("lunar-lake");
  ASSERT_EQ(m.cpu.kinds.size(), 2u);
  EXPECT_EQ(m.cpu.kinds[1].name, "low-power efficiency");
  ASSERT_EQ(m.gpus.size(), 1u);
  EXPECT_EQ(m.gpus[0].driver, "xe");
  EXPECT_EQ(m.gpus[0].mhz, std::nullopt);  // not 0
  EXPECT_EQ(m.gpus[0].max_mhz, 1950);
  EXPECT_EQ(m.gpus[0].node->may_use, false);
  ASSERT_EQ(m.npus.size(), 1u);
  EXPECT_EQ(m.npus[0].mhz, std::nullopt);
  EXPECT_EQ(m.npus[0].max_mhz, 1950);
  EXPECT_EQ(m.npus[0].memory_used, std::nullopt);  // a file that this system lacks
  EXPECT_EQ(m.npus[0].node->may_use, false);
  EXPECT_EQ(m.power.on_battery, true);
  EXPECT_EQ(m.power.battery_percent, 63);  // not the mouse's
  EXPECT_NEAR(*m.power.battery_watts, 9.15, 1e-9);
}

TEST(machine, nvidia_without_its_library_has_a_name_and_no_figures) {
  const Machine m = machine("nvidia-desktop");
  ASSERT_EQ(m.gpus.size(), 2u);
  EXPECT_EQ(m.gpus[1].vendor, "NVIDIA");
  EXPECT_EQ(m.gpus[1].name, "GeForce RTX 4070");
  EXPECT_EQ(m.gpus[1].driver_version, "580.95.05");
  EXPECT_EQ(m.gpus[1].integrated, false);
  EXPECT_EQ(m.gpus[1].memory_bytes, std::nullopt);
  EXPECT_EQ(m.gpus[1].node->path, "/dev/nvidiactl");
  EXPECT_EQ(m.gpus[1].node->may_use, true);
  EXPECT_TRUE(m.npus.empty());
  EXPECT_EQ(m.power.on_battery, false);
}

TEST(machine, nvidia_with_its_library) {
  const FakeNvml library;
  const Machine m = machine("nvidia-desktop");
  ASSERT_EQ(m.gpus.size(), 2u);  // it is the card of the kernel's list
  EXPECT_EQ(m.gpus[1].id, "card1");
  EXPECT_EQ(m.gpus[1].memory_bytes, 12878610432u);
  EXPECT_EQ(m.gpus[1].mhz, 2475);
  EXPECT_EQ(m.gpus[1].driver_version, "580.95.05");
  const Machine headless = machine("server");
  ASSERT_EQ(headless.gpus.size(), 2u);  // a card that the kernel's list lacks
  EXPECT_EQ(headless.gpus[1].id, "nvidia0");
}

TEST(machine, a_server_has_neither) {
  const Machine m = machine("server");
  ASSERT_EQ(m.cpu.kinds.size(), 1u);
  EXPECT_EQ(m.cpu.kinds[0].name, "");
  EXPECT_EQ(m.cpu.kinds[0].cores, 2);
  EXPECT_EQ(m.cpu.kinds[0].max_mhz, std::nullopt);
  ASSERT_EQ(m.gpus.size(), 1u);
  EXPECT_EQ(m.gpus[0].vendor, "1a03");
  EXPECT_EQ(m.gpus[0].name, "unknown device 1a03:2000");
  EXPECT_EQ(m.gpus[0].node, std::nullopt);
  EXPECT_EQ(m.power.on_battery, std::nullopt);
  const Json json = to_json(m);
  EXPECT_TRUE(json["power"]["on_battery"].is_null());
  EXPECT_TRUE(json["gpus"][0]["mhz"].is_null());
}

TEST(machine, an_npu_without_its_driver_is_seen_on_the_bus) {
  const TempFolder folder;
  const auto path = folder.write("m.txt",
                                 "sys/bus/pci/devices/0000:00:0b.0/class = 0x120000\n"
                                 "sys/bus/pci/devices/0000:00:0b.0/vendor = 0x8086\n"
                                 "sys/bus/pci/devices/0000:00:0b.0/device = 0x7d1d\n"
                                 "sys/bus/pci/devices/0000:00:02.0/class = 0x030000\n");
  const Machine m = read_machine(Root(path));
  ASSERT_EQ(m.npus.size(), 1u);
  EXPECT_EQ(m.npus[0].name, "NPU 3720 (Meteor Lake)");
  EXPECT_EQ(m.npus[0].driver, "");
  EXPECT_EQ(m.npus[0].node, std::nullopt);
}

TEST(machine, this_computer_is_read_without_complaint) {
  const Machine m = read_machine(Root());
  EXPECT_GE(m.cpu.logical, 1);
  EXPECT_GT(m.memory.total.value_or(0), 0u);
}

TEST(machine, what_is_not_a_figure_is_none) {
  const TempFolder folder;
  const fs::path file = folder.write("damaged.txt", R"(proc/meminfo <<
MemTotal:       unknown
MemAvailable:   99999999999999999999 kB
SwapTotal:      18014398509481984 kB
SwapFree:       -1 kB
.
sys/devices/system/cpu/online = 0
sys/devices/system/cpu/cpu0/cache/index3/level = 3
sys/devices/system/cpu/cpu0/cache/index3/size = -1K
sys/class/power_supply/BAT0/type = Battery
sys/class/power_supply/BAT0/status = Full
sys/class/power_supply/BAT0/capacity = 9223372036854775808
sys/class/drm/card0/device/vendor = 0x1002
sys/class/drm/card0/device/uevent = DRIVER=amdgpu
sys/class/drm/card0/device/mem_info_vram_total = 99999999999999999999
)");
  const Machine m = read_machine(Root(file));
  EXPECT_EQ(m.memory.total, std::nullopt);
  EXPECT_EQ(m.memory.available, std::nullopt);
  EXPECT_EQ(m.memory.swap_total, std::nullopt);
  EXPECT_EQ(m.memory.swap_free, std::nullopt);
  EXPECT_EQ(m.cpu.l3_bytes, std::nullopt);
  EXPECT_EQ(m.power.battery_percent, std::nullopt);
  ASSERT_EQ(m.gpus.size(), 1u);
  EXPECT_EQ(m.gpus[0].memory_bytes, std::nullopt);
}

}  // namespace
}  // namespace phial
