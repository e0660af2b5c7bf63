// SPDX-License-Identifier: Apache-2.0
// Processors and memory. Intel's kinds of cores: Linux has a PMU for each kind, whose "cpus" file
// lists its processors (/sys/devices/cpu_core, cpu_atom). The low-power cores of a Core Ultra are
// in cpu_atom too; unlike the others they have no third level of cache.
#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "base/cpu_info.h"
#include "machine/machine.h"
#include "machine/parse.h"

namespace phial {
namespace {

std::string cpu_folder(int cpu) { return fmt::format("sys/devices/system/cpu/cpu{}", cpu); }

// Of the level, in bytes; data or unified.
std::optional<uint64_t> cache_bytes(const Root& root, int cpu, int level) {
  const std::string folder = cpu_folder(cpu) + "/cache";
  for (const std::string& index : root.entries(folder)) {
    const std::string cache = folder + "/" + index;
    if (root.integer(cache + "/level") != level) continue;
    if (root.text(cache + "/type").value_or("") == "Instruction") continue;
    const std::string size = root.text(cache + "/size").value_or("");  // "24576K"
    const uint64_t unit = size.ends_with('K') ? 1024 : size.ends_with('M') ? 1024 * 1024 : 1;
    if (const auto bytes = parse_bytes(size, unit)) return bytes;
  }
  return std::nullopt;
}

// kHz of the highest among the processors, as MHz.
std::optional<double> highest_mhz(const Root& root, const std::vector<int>& cpus,
                                  const char* file) {
  std::optional<double> most;
  for (const int cpu : cpus)
    if (const auto khz = root.integer(cpu_folder(cpu) + "/cpufreq/" + file); khz && *khz > 0)
      most = std::max(most.value_or(0), static_cast<double>(*khz) / 1000);
  return most;
}

CoreKind describe(const Root& root, std::string name, std::vector<int> cpus) {
  CoreKind kind;
  kind.name = std::move(name);
  std::set<std::string> cores;
  for (const int cpu : cpus)
    if (const auto siblings = root.text(cpu_folder(cpu) + "/topology/core_cpus_list"))
      cores.insert(*siblings);
  kind.cores = static_cast<int>(cores.size());
  kind.max_mhz = highest_mhz(root, cpus, "cpuinfo_max_freq");
  kind.mhz = highest_mhz(root, cpus, "scaling_cur_freq");
  if (!cpus.empty()) kind.l2_bytes = cache_bytes(root, cpus.front(), 2);
  kind.cpus = std::move(cpus);
  return kind;
}

}  // namespace

Cpu read_cpu(const Root& root) {
  Cpu cpu;
  const std::string info = root.text("proc/cpuinfo").value_or("");
  cpu.name = value_of_key(info, "model name").value_or("");
  if (cpu.name.empty()) cpu.name = root.is_this_computer() ? cpu_name() : "unknown";
  const std::vector<int> all =
      parse_cpu_list(root.text("sys/devices/system/cpu/online").value_or(""));
  cpu.logical = static_cast<int>(all.size());
  for (size_t at = info.find("processor\t"); all.empty() && at != std::string::npos;
       at = info.find("\nprocessor\t", at + 1))
    ++cpu.logical;
  const auto core = parse_cpu_list(root.text("sys/devices/cpu_core/cpus").value_or(""));
  const auto atom = parse_cpu_list(root.text("sys/devices/cpu_atom/cpus").value_or(""));
  if (!all.empty()) cpu.l3_bytes = cache_bytes(root, all.front(), 3);
  if (core.empty() || atom.empty()) {
    cpu.kinds = {describe(root, "", all)};
    return cpu;
  }
  std::vector<int> efficient, low_power;
  for (const int n : atom)
    (cpu.l3_bytes && !cache_bytes(root, n, 3) ? low_power : efficient).push_back(n);
  cpu.kinds.push_back(describe(root, "performance", core));
  if (!efficient.empty()) cpu.kinds.push_back(describe(root, "efficiency", efficient));
  if (!low_power.empty()) cpu.kinds.push_back(describe(root, "low-power efficiency", low_power));
  return cpu;
}

Memory read_memory(const Root& root) {
  const std::string info = root.text("proc/meminfo").value_or("");
  const auto bytes = [&](const char* key) -> std::optional<uint64_t> {
    const auto value = value_of_key(info, key);  // "32594540 kB"
    if (!value) return std::nullopt;
    return parse_bytes(*value, 1024);
  };
  return {bytes("MemTotal"), bytes("MemAvailable"), bytes("SwapTotal"), bytes("SwapFree")};
}

}  // namespace phial
