// SPDX-License-Identifier: Apache-2.0
#include "machine/machine.h"

#include <utility>

#include "machine/parse.h"

namespace phial {
namespace {

template <class Value>
Json maybe(const std::optional<Value>& value) {
  return value ? Json(*value) : Json();
}

Json maybe(const std::string& text) { return text.empty() ? Json() : Json(text); }

Json to_json(const std::optional<DeviceNode>& node) {
  if (!node) return {};
  return {{"path", node->path}, {"owner", maybe(node->owner)}, {"may_use", maybe(node->may_use)}};
}

Json to_json(const Cpu& cpu) {
  Json kinds = Json::array();
  for (const CoreKind& kind : cpu.kinds)
    kinds.push_back({{"kind", maybe(kind.name)},
                     {"cpus", kind.cpus},
                     {"cores", kind.cores ? Json(kind.cores) : Json()},
                     {"mhz", maybe(kind.mhz)},
                     {"max_mhz", maybe(kind.max_mhz)},
                     {"l2_bytes", maybe(kind.l2_bytes)}});
  return {{"name", cpu.name},
          {"logical", cpu.logical},
          {"l3_bytes", maybe(cpu.l3_bytes)},
          {"kinds", std::move(kinds)}};
}

std::string system_name(const Root& root) {
  std::string name =
      value_of_key(root.text("etc/os-release").value_or(""), "PRETTY_NAME").value_or("");
  if (name.size() > 1 && name.front() == '"') name = name.substr(1, name.size() - 2);
  return name;
}

}  // namespace

Machine read_machine(const Root& root) {
  Machine machine;
  if (root.is_this_computer() && read_system_machine(machine)) return machine;
  machine.system = system_name(root);
  machine.kernel = root.text("proc/sys/kernel/osrelease").value_or("");
  machine.cpu = read_cpu(root);
  machine.memory = read_memory(root);
  machine.gpus = read_gpus(root);
  machine.npus = read_npus(root);
  machine.power = read_power(root);
  return machine;
}

Json to_json(const Machine& machine) {
  Json gpus = Json::array(), npus = Json::array();
  for (const Gpu& gpu : machine.gpus)
    gpus.push_back({{"id", gpu.id},
                    {"vendor", gpu.vendor},
                    {"name", gpu.name},
                    {"integrated", maybe(gpu.integrated)},
                    {"driver", maybe(gpu.driver)},
                    {"driver_version", maybe(gpu.driver_version)},
                    {"pci", maybe(gpu.pci)},
                    {"slot", maybe(gpu.slot)},
                    {"memory_bytes", maybe(gpu.memory_bytes)},
                    {"memory_used", maybe(gpu.memory_used)},
                    {"mhz", maybe(gpu.mhz)},
                    {"max_mhz", maybe(gpu.max_mhz)},
                    {"node", to_json(gpu.node)}});
  for (const Npu& npu : machine.npus)
    npus.push_back({{"id", npu.id},
                    {"vendor", npu.vendor},
                    {"name", npu.name},
                    {"driver", maybe(npu.driver)},
                    {"firmware", maybe(npu.firmware)},
                    {"pci", maybe(npu.pci)},
                    {"slot", maybe(npu.slot)},
                    {"memory_used", maybe(npu.memory_used)},
                    {"mhz", maybe(npu.mhz)},
                    {"max_mhz", maybe(npu.max_mhz)},
                    {"node", to_json(npu.node)}});
  return {{"system", maybe(machine.system)},
          {"kernel", maybe(machine.kernel)},
          {"cpu", to_json(machine.cpu)},
          {"memory",
           {{"total", maybe(machine.memory.total)},
            {"available", maybe(machine.memory.available)},
            {"swap_total", maybe(machine.memory.swap_total)},
            {"swap_free", maybe(machine.memory.swap_free)}}},
          {"gpus", std::move(gpus)},
          {"npus", std::move(npus)},
          {"power",
           {{"on_battery", maybe(machine.power.on_battery)},
            {"battery_percent", maybe(machine.power.battery_percent)},
            {"battery_watts", maybe(machine.power.battery_watts)}}}};
}

}  // namespace phial
