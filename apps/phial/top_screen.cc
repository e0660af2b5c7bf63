// SPDX-License-Identifier: Apache-2.0
#include "top_screen.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>

#include "facts.h"
#include "line_chart.h"
#include "processes.h"
#include "terminal.h"

namespace cli {

namespace {

constexpr size_t kBar = 24;

// "[||||||      ]"; empty where nothing is told.
std::string bar(const Json& percent, size_t width) {
  if (!percent.is_number()) return fmt::format("[{:{}}]", "", width);
  const double share = std::clamp(percent.get<double>() / 100, 0.0, 1.0);
  const auto filled = static_cast<size_t>(std::lround(share * static_cast<double>(width)));
  return fmt::format("[{:|<{}}{:{}}]", "", filled, "", width - filled);
}

std::string percent_text(const Json& percent) {
  return percent.is_number() ? fmt::format("{:3.0f} %", percent.get<double>()) : "  n/a";
}

std::string watts_text(const Json& watts) { return fmt::format("{:.1f} W", watts.get<double>()); }

double highest(const Json& list) {
  double most = 0;
  for (const Json& value : list)
    if (value.is_number()) most = std::max(most, value.get<double>());
  return most;
}

// As many columns as fit, read from top to bottom as Linux counts them.
std::string cores_text(const Json& percents, size_t width) {
  constexpr size_t kCell = 22, kSmall = 10;
  const size_t columns = std::clamp<size_t>((width - 2) / kCell, 1, 8);
  const size_t rows = (percents.size() + columns - 1) / columns;
  std::string text;
  for (size_t row = 0; row < rows; ++row) {
    text += "  ";
    for (size_t i = row; i < percents.size(); i += rows)
      text += fmt::format("{:>3} {}{} ", i, bar(percents[i], kSmall), percent_text(percents[i]));
    text += "\n";
  }
  return text;
}

std::string device_text(const Json& device) {
  const std::string kind = device.value("kind", "") == "npu" ? "NPU" : "GPU";
  std::string text = fmt::format("{}  {} {}  {}, {}\n", kind, bar(device["busy_percent"], kBar),
                                 percent_text(device["busy_percent"]), device.value("id", ""),
                                 device.value("name", ""));
  std::string memory = text_or_na(device["memory_used"], &bytes_text);
  if (device["memory_bytes"].is_number()) memory += " of " + bytes_text(device["memory_bytes"]);
  return text + fmt::format("     clock {} of {}, memory {}, power {}\n",
                            text_or_na(device["mhz"], &clock_text),
                            text_or_na(device["max_mhz"], &clock_text), memory,
                            text_or_na(device["watts"], &watts_text));
}

std::string memory_text(const Json& sample) {
  const Json &total = sample["memory_total"], &available = sample["memory_available"];
  Json percent, used;
  if (total.is_number() && available.is_number()) {
    used = total.get<double>() - available.get<double>();
    percent = 100 * used.get<double>() / total.get<double>();
  }
  return fmt::format("RAM  {} {}  {} of {}\n", bar(percent, kBar), percent_text(percent),
                     text_or_na(used, &bytes_text), text_or_na(total, &bytes_text));
}

std::string speed_text(const Json& sample) {
  const auto number = [&](const char* key) {
    return sample[key].is_number() ? fmt::format("{:.2f}", sample[key].get<double>()) : "n/a";
  };
  return fmt::format("phial  {} tokens/s, {} tokens per joule\n", number("tokens_per_second"),
                     number("tokens_per_joule"));
}

std::string cut(const std::string& text, size_t width) {
  std::string result;
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = std::min(text.find('\n', begin), text.size());
    result += text.substr(begin, std::min(end - begin, width)) + "\n";
    begin = end + 1;
  }
  return result;
}

std::optional<double> number_at(const Json& value) {
  return value.is_number() ? std::optional(value.get<double>()) : std::nullopt;
}

template <class Get>
ChartLine line_of(const std::vector<Json>& samples, const std::string& label, const Get& get) {
  ChartLine line{label, {}};
  for (const Json& sample : samples) line.values.push_back(number_at(get(sample)));
  return line;
}

bool has_values(const ChartLine& line) {
  return std::any_of(line.values.begin(), line.values.end(),
                     [](const auto& value) { return value.has_value(); });
}

}  // namespace

std::string top_screen(const Json& sample, const std::string& heading, size_t width) {
  std::string text = heading + "\n\n";
  const double mhz = highest(sample["core_mhz"]);
  text += fmt::format("CPU  {} {}  clock {}, package {}, battery {}\n",
                      bar(sample["cpu_percent"], kBar), percent_text(sample["cpu_percent"]),
                      mhz > 0 ? clock_text(mhz) : "n/a",
                      text_or_na(sample["package_watts"], &watts_text),
                      text_or_na(sample["battery_watts"], &watts_text));
  text += cores_text(sample["core_percent"], width);
  for (const Json& device : sample["devices"]) text += device_text(device);
  text += memory_text(sample) + "\n" + speed_text(sample) + processes_table(sample["processes"]);
  return cut(text, width);
}

std::string top_plot(const std::vector<Json>& samples, const std::string& heading) {
  std::vector<double> seconds;
  double now = 0;
  for (const Json& sample : samples) seconds.push_back(now += sample.value("seconds", 0.0));
  LineChart busy{"Utilisation, %", 100, {}}, power{"Power, W", 0, {}}, speed{"Tokens/s", 0, {}};
  const auto add = [](LineChart& chart, ChartLine line) {
    if (has_values(line)) chart.lines.push_back(std::move(line));
  };
  const auto of = [](const char* key) {
    return [key](const Json& sample) { return sample.value(key, Json()); };
  };
  add(busy, line_of(samples, "CPU", of("cpu_percent")));
  add(power, line_of(samples, "processor package", of("package_watts")));
  add(power, line_of(samples, "battery", of("battery_watts")));
  const size_t devices = samples.empty() ? 0 : samples.front()["devices"].size();
  for (size_t i = 0; i < devices; ++i) {
    const std::string name =
        samples.front()["devices"][i].value("kind", "") == "npu" ? "NPU " : "GPU ";
    const std::string label = name + samples.front()["devices"][i].value("id", "");
    const auto device = [i](const char* key) {
      return [i, key](const Json& sample) {
        return i < sample["devices"].size() ? sample["devices"][i].value(key, Json()) : Json();
      };
    };
    add(busy, line_of(samples, label, device("busy_percent")));
    add(power, line_of(samples, label, device("watts")));
  }
  add(speed, line_of(samples, "phial", of("tokens_per_second")));
  std::vector<LineChart> charts;
  for (LineChart& chart : {std::ref(busy), std::ref(power), std::ref(speed)})
    if (!chart.lines.empty()) charts.push_back(std::move(chart));
  return line_charts_svg(heading, fmt::format("{} samples", samples.size()), seconds, charts);
}

}  // namespace cli
