// SPDX-License-Identifier: Apache-2.0
#include "machine/drm_usage.h"

#include <algorithm>
#include <cstdlib>

#include "machine/parse.h"

namespace phial {
namespace {

// "192 KiB", "23992 KiB", "0".
uint64_t parse_size(const std::string& text) {
  char* end = nullptr;
  const uint64_t number = std::strtoull(text.c_str(), &end, 10);
  while (*end == ' ') ++end;
  return number << (*end == 'K' ? 10 : *end == 'M' ? 20 : *end == 'G' ? 30 : 0);
}

struct ClassTime {
  double ns = 0, cycles = 0, total_cycles = 0, capacity = 1;
};

double advance(uint64_t before, uint64_t after) {
  return after > before ? static_cast<double>(after - before) : 0;
}

}  // namespace

std::optional<DrmClient> parse_drm_client(std::string_view text, std::string& id) {
  if (!value_of_key(text, "drm-driver")) return std::nullopt;
  DrmClient client;
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = std::min(text.find('\n', begin), text.size());
    const std::string line(text.substr(begin, end - begin));
    begin = end + 1;
    const size_t colon = line.find(':');
    if (colon == std::string::npos) continue;
    const std::string key = line.substr(0, colon);
    const size_t first = line.find_first_not_of(" \t", colon + 1);
    const std::string value = first == std::string::npos ? "" : line.substr(first);
    const auto number = [&] { return std::strtoull(value.c_str(), nullptr, 10); };
    const auto rest_of = [&](std::string_view prefix) { return key.substr(prefix.size()); };
    if (key == "drm-pdev")
      client.slot = value;
    else if (key == "drm-client-id")
      id = value;
    else if (key.starts_with("drm-engine-capacity-"))
      client.engines[rest_of("drm-engine-capacity-")].capacity =
          std::max(1.0, static_cast<double>(number()));
    else if (key.starts_with("drm-engine-"))
      client.engines[rest_of("drm-engine-")].busy_ns = number();
    else if (key.starts_with("drm-total-cycles-"))
      client.engines[rest_of("drm-total-cycles-")].total_cycles = number();
    else if (key.starts_with("drm-cycles-"))
      client.engines[rest_of("drm-cycles-")].busy_cycles = number();
    else if (key.starts_with("drm-resident-"))
      client.resident_bytes += parse_size(value);
  }
  return client;
}

DrmUsage read_drm_usage(const Root& root) {
  DrmUsage usage;
  for (const std::string& pid : root.entries("proc")) {
    if (pid.find_first_not_of("0123456789") != std::string::npos) continue;
    const std::string process = "proc/" + pid;
    for (const std::string& fd : root.entries(process + "/fdinfo")) {
      if (root.is_this_computer()) {  // what the file is, is cheaper to ask than its state
        const std::string target = root.link_name(process + "/fd/" + fd).value_or("");
        if (!target.starts_with("renderD") && !target.starts_with("card") &&
            !target.starts_with("accel"))
          continue;
      }
      std::string id;
      const auto client = parse_drm_client(root.text(process + "/fdinfo/" + fd).value_or(""), id);
      if (client) usage.emplace(client->slot + "/" + id, *client);
    }
  }
  return usage;
}

std::optional<double> drm_busy_percent(const DrmUsage& before, const DrmUsage& after,
                                       const std::string& slot, double seconds) {
  std::map<std::string, ClassTime> classes;
  bool seen = false;
  for (const auto& [key, client] : after) {
    if (client.slot != slot) continue;
    seen = true;
    const auto old = before.find(key);
    for (const auto& [name, engine] : client.engines) {
      DrmEngine then;  // a client that is new has done all in between
      if (old != before.end() && old->second.engines.contains(name))
        then = old->second.engines.at(name);
      else
        then.total_cycles = engine.total_cycles;
      ClassTime& time = classes[name];
      time.ns += advance(then.busy_ns, engine.busy_ns);
      time.cycles += advance(then.busy_cycles, engine.busy_cycles);
      time.total_cycles =
          std::max(time.total_cycles, advance(then.total_cycles, engine.total_cycles));
      time.capacity = engine.capacity;
    }
  }
  if (!seen || !(seconds > 0)) return std::nullopt;
  double most = 0;
  for (const auto& [name, time] : classes) {
    const double busy =
        time.total_cycles > 0 ? time.cycles / time.total_cycles : time.ns / (seconds * 1e9);
    most = std::max(most, busy / time.capacity);
  }
  return std::min(100.0, 100 * most);
}

}  // namespace phial
