// SPDX-License-Identifier: Apache-2.0
// Batteries and mains: Documentation/ABI/testing/sysfs-class-power.
#include <cmath>

#include "machine/machine.h"

namespace phial {

Power read_power(const Root& root) {
  const std::string supplies = "sys/class/power_supply";
  Power power;
  std::optional<bool> mains;
  bool discharging = false, battery = false;
  for (const std::string& name : root.entries(supplies)) {
    const std::string supply = supplies + "/" + name;
    const std::string type = root.text(supply + "/type").value_or("");
    if (type == "Mains" || type == "USB") {
      if (const auto online = root.integer(supply + "/online"))
        mains = mains.value_or(false) || *online != 0;
    } else if (type == "Battery") {
      // A mouse has one as well.
      if (root.text(supply + "/scope").value_or("System") == "Device") continue;
      battery = true;
      discharging |= root.text(supply + "/status").value_or("") == "Discharging";
      if (const auto percent = root.integer(supply + "/capacity");
          percent && *percent >= 0 && *percent <= 100)
        power.battery_percent = static_cast<double>(*percent);
      const auto microwatts = root.integer(supply + "/power_now");
      const auto microamperes = root.integer(supply + "/current_now");
      const auto microvolts = root.integer(supply + "/voltage_now");
      if (!discharging) continue;
      if (microwatts)
        power.battery_watts = std::abs(static_cast<double>(*microwatts)) / 1e6;
      else if (microamperes && microvolts)
        power.battery_watts = std::abs(static_cast<double>(*microamperes)) / 1e6 *
                              static_cast<double>(*microvolts) / 1e6;
    }
  }
  if (!battery)
    power.on_battery = root.exists(supplies) || mains ? std::optional(false) : std::nullopt;
  else
    power.on_battery = discharging && !mains.value_or(false);
  return power;
}

}  // namespace phial
