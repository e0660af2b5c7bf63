// SPDX-License-Identifier: Apache-2.0
// Sources: /proc/stat (proc_stat(5)), powercap (Documentation/power/powercap), hwmon
// (Documentation/hwmon/sysfs-interface), npu_busy_time_us (sysfs-driver-ivpu).
#include "machine/usage_meter.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>

#include "machine/nvml.h"

namespace phial {
namespace {

// Joules of a counter that starts again at its limit.
std::optional<double> between(const std::optional<double>& before,
                              const std::optional<double>& now) {
  if (!before || !now || *now < *before) return std::nullopt;
  return *now - *before;
}

std::optional<double> rate(const std::optional<double>& difference, double seconds) {
  return difference && seconds > 0 ? std::optional(*difference / seconds) : std::nullopt;
}

// All processors' packages. Most systems let only root read it.
std::optional<double> package_joules(const Root& root) {
  const std::string zones = "sys/class/powercap";
  std::optional<double> sum;
  for (const std::string& zone : root.entries(zones)) {
    if (!root.text(zones + "/" + zone + "/name").value_or("").starts_with("package-")) continue;
    const auto energy = root.integer(zones + "/" + zone + "/energy_uj");
    if (!energy) return std::nullopt;
    sum = sum.value_or(0) + static_cast<double>(*energy) / 1e6;
  }
  return sum;
}

std::string monitor_folder(const Root& root, const std::string& device) {
  const auto monitors = root.entries(device + "/hwmon");
  return monitors.empty() ? std::string() : device + "/hwmon/" + monitors.front();
}

std::optional<double> micro(const std::optional<int64_t>& value) {
  return value ? std::optional(static_cast<double>(*value) / 1e6) : std::nullopt;
}

void add_drm_memory(const DrmUsage& usage, const std::string& slot, DeviceUsage& device) {
  if (device.memory_used) return;
  for (const auto& [key, client] : usage)
    if (client.slot == slot)
      device.memory_used = device.memory_used.value_or(0) + client.resident_bytes;
}

template <class Value>
Json maybe(const std::optional<Value>& value) {
  return value ? Json(*value) : Json();
}

Json maybe(const std::vector<std::optional<double>>& values) {
  Json list = Json::array();
  for (const auto& value : values) list.push_back(maybe(value));
  return list;
}

}  // namespace

UsageMeter::UsageMeter(Root root) : root_(std::move(root)) {}

// "cpu0 user nice system idle iowait irq softirq steal guest guest_nice"; guests are in user too.
void UsageMeter::read_cpus(Counters& now) const {
  const std::string stat = root_.text("proc/stat").value_or("");
  for (size_t begin = 0; begin < stat.size();) {
    const size_t end = std::min(stat.find('\n', begin), stat.size());
    const std::string line = stat.substr(begin, end - begin);
    begin = end + 1;
    if (!line.starts_with("cpu")) break;
    const size_t number = std::strtoul(line.c_str() + 3, nullptr, 10);
    const size_t index = line[3] == ' ' ? 0 : number + 1;
    if (index > 4096) break;
    if (now.cpus.size() <= index) now.cpus.resize(index + 1);
    char* rest = nullptr;
    const char* at = line.c_str() + line.find(' ');
    for (int field = 0; field < 8; ++field) {
      const uint64_t ticks = std::strtoull(at, &rest, 10);
      now.cpus[index].total += ticks;
      if (field != 3 && field != 4) now.cpus[index].busy += ticks;
      at = rest;
    }
  }
}

void UsageMeter::fill_device(const Machine& machine, size_t index, DeviceUsage& device,
                             Counters& now) const {
  const bool is_gpu = index < machine.gpus.size();
  const std::string slot =
      is_gpu ? machine.gpus[index].slot : machine.npus[index - machine.gpus.size()].slot;
  const std::string folder =
      fmt::format("sys/class/{}/{}/device", is_gpu ? "drm" : "accel", device.id);
  const std::string monitor = monitor_folder(root_, folder);
  std::optional<double> joules, busy;
  if (!monitor.empty()) {
    device.watts = micro(root_.integer(monitor + "/power1_average"));
    if (!device.watts) device.watts = micro(root_.integer(monitor + "/power1_input"));
    joules = micro(root_.integer(monitor + "/energy1_input"));
  }
  if (is_gpu) {
    if (const auto percent = root_.integer(folder + "/gpu_busy_percent");
        percent && *percent >= 0 && *percent <= 100)
      device.busy_percent = static_cast<double>(*percent);
  } else {
    busy = micro(root_.integer(folder + "/npu_busy_time_us"));
  }
  const double seconds = now.seconds - before_.seconds;
  if (!first_ && index < before_.device_joules.size()) {
    if (!device.watts) device.watts = rate(between(before_.device_joules[index], joules), seconds);
    if (const auto share = rate(between(before_.device_busy_seconds[index], busy), seconds))
      device.busy_percent = std::min(100.0, 100 * *share);
    if (!device.busy_percent && !slot.empty())
      device.busy_percent = drm_busy_percent(before_.drm, now.drm, slot, seconds);
  }
  if (!slot.empty()) add_drm_memory(now.drm, slot, device);
  now.device_joules.push_back(joules);
  now.device_busy_seconds.push_back(busy);
}

Usage UsageMeter::take_from_files() {
  const Machine machine{{}, {}, {}, {}, read_gpus(root_), read_npus(root_), {}};
  Counters now;
  now.seconds = root_.seconds();
  read_cpus(now);
  now.package_joules = package_joules(root_);
  const bool asks_processes =
      !machine.npus.empty() ||
      std::any_of(machine.gpus.begin(), machine.gpus.end(),
                  [](const Gpu& gpu) { return gpu.driver == "i915" || gpu.driver == "xe"; });
  if (asks_processes) now.drm = read_drm_usage(root_);

  Usage sample;
  sample.seconds = first_ ? 0 : now.seconds - before_.seconds;
  sample.memory = read_memory(root_);
  const Power power = read_power(root_);
  sample.on_battery = power.on_battery;
  sample.battery_watts = power.battery_watts;
  if (!first_)
    sample.package_watts =
        rate(between(before_.package_joules, now.package_joules), sample.seconds);
  for (size_t i = 0; i < now.cpus.size(); ++i) {
    std::optional<double> percent;
    if (!first_ && i < before_.cpus.size() && now.cpus[i].total > before_.cpus[i].total &&
        now.cpus[i].busy >= before_.cpus[i].busy)  // one that was taken off begins anew
      percent = std::min(100.0, 100 * static_cast<double>(now.cpus[i].busy - before_.cpus[i].busy) /
                                    static_cast<double>(now.cpus[i].total - before_.cpus[i].total));
    if (i == 0) {
      sample.cpu_percent = percent;
      continue;
    }
    sample.core_percent.push_back(percent);
    const auto khz =
        root_.integer(fmt::format("sys/devices/system/cpu/cpu{}/cpufreq/scaling_cur_freq", i - 1));
    sample.core_mhz.push_back(khz && *khz > 0 ? std::optional(static_cast<double>(*khz) / 1000)
                                              : std::nullopt);
  }
  for (const Gpu& gpu : machine.gpus)
    sample.devices.push_back(
        {gpu.id, "gpu", gpu.name, {}, gpu.mhz, gpu.max_mhz, {}, gpu.memory_used, gpu.memory_bytes});
  for (const Npu& npu : machine.npus)
    sample.devices.push_back(
        {npu.id, "npu", npu.name, {}, npu.mhz, npu.max_mhz, {}, npu.memory_used, {}});
  for (size_t i = 0; i < sample.devices.size(); ++i)
    fill_device(machine, i, sample.devices[i], now);
  if (const Nvml* library = Nvml::of(root_)) {
    for (const NvidiaGpu& found : library->gpus())
      for (size_t i = 0; i < machine.gpus.size(); ++i)
        if (machine.gpus[i].vendor == "NVIDIA" && machine.gpus[i].slot == found.slot) {
          sample.devices[i].busy_percent = found.busy_percent;
          sample.devices[i].watts = found.watts;
        }
  }
  before_ = std::move(now);
  return sample;
}

Usage UsageMeter::take() {
  Usage sample;
  if (!(root_.is_this_computer() && read_system_usage(sample))) {
    if (!first_) root_.next_moment();
    sample = take_from_files();
  }
  first_ = false;
  return sample;
}

Json to_json(const Usage& sample) {
  Json devices = Json::array();
  for (const DeviceUsage& device : sample.devices)
    devices.push_back({{"id", device.id},
                       {"kind", device.kind},
                       {"name", device.name},
                       {"busy_percent", maybe(device.busy_percent)},
                       {"mhz", maybe(device.mhz)},
                       {"max_mhz", maybe(device.max_mhz)},
                       {"watts", maybe(device.watts)},
                       {"memory_used", maybe(device.memory_used)},
                       {"memory_bytes", maybe(device.memory_bytes)}});
  return {{"seconds", sample.seconds},
          {"cpu_percent", maybe(sample.cpu_percent)},
          {"core_percent", maybe(sample.core_percent)},
          {"core_mhz", maybe(sample.core_mhz)},
          {"memory_total", maybe(sample.memory.total)},
          {"memory_available", maybe(sample.memory.available)},
          {"package_watts", maybe(sample.package_watts)},
          {"battery_watts", maybe(sample.battery_watts)},
          {"on_battery", maybe(sample.on_battery)},
          {"devices", std::move(devices)}};
}

}  // namespace phial
