// SPDX-License-Identifier: Apache-2.0
// What this computer has: processors, memory, GPUs, NPUs, batteries. Facts as the system tells
// them; what it doesn't tell is nullopt, never zero. Which engine can use what isn't known here.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "machine/root.h"

namespace phial {

// Cores of one kind. A processor whose cores are all alike has one, with an empty name.
struct CoreKind {
  std::string name;                    // "performance", "efficiency", "low-power efficiency", or ""
  std::vector<int> cpus;               // numbers of logical processors
  int cores = 0;                       // physical ones; 0: not told
  std::optional<double> max_mhz, mhz;  // the highest clock now among them
  std::optional<uint64_t> l2_bytes;    // of one core or cluster
};

struct Cpu {
  std::string name;
  int logical = 0;
  std::vector<CoreKind> kinds;
  std::optional<uint64_t> l3_bytes;
};

struct Memory {
  std::optional<uint64_t> total, available, swap_total, swap_free;
};

// A device file that a runtime opens.
struct DeviceNode {
  std::string path;   // "/dev/accel/accel0"
  std::string owner;  // "root:render 0660"; empty: not told
  std::string group;
  std::optional<bool> may_use;
};

struct Gpu {
  std::string id;  // "card0", "nvidia0"
  std::string vendor, name, driver, driver_version;
  std::string pci;   // "8086:7d55", empty: not told
  std::string slot;  // "0000:00:02.0"
  std::optional<bool> integrated;
  std::optional<uint64_t> memory_bytes, memory_used;  // its own memory
  std::optional<double> mhz, max_mhz;
  std::optional<DeviceNode> node;
};

struct Npu {
  std::string id;  // "accel0"
  std::string vendor, name, driver, firmware;
  std::string pci, slot;
  std::optional<uint64_t> memory_used;
  std::optional<double> mhz, max_mhz;
  std::optional<DeviceNode> node;
};

struct Power {
  std::optional<bool> on_battery;  // false: on mains, or no battery
  std::optional<double> battery_percent;
  std::optional<double> battery_watts;  // that it gives now
};

struct Machine {
  std::string system, kernel;  // "Ubuntu 24.04.2 LTS", "6.14.0-29-generic"
  Cpu cpu;
  Memory memory;
  std::vector<Gpu> gpus;
  std::vector<Npu> npus;
  Power power;
};

// Never throws for what the system doesn't tell.
Machine read_machine(const Root& root);

Json to_json(const Machine& machine);  // nullopt becomes null

// The parts; each is a file of its own.
Cpu read_cpu(const Root& root);
Memory read_memory(const Root& root);
std::vector<Gpu> read_gpus(const Root& root);
std::vector<Npu> read_npus(const Root& root);
Power read_power(const Root& root);
std::optional<DeviceNode> read_node(const Root& root, const std::string& path);

// Windows tells it in its own ways; empty elsewhere. machine_posix.cc, machine_windows.cc.
bool read_system_machine(Machine& machine);  // false: Linux's files are to be read

}  // namespace phial
