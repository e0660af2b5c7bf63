// SPDX-License-Identifier: Apache-2.0
#include "roofline_chart.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace cli {

namespace {

constexpr const char *kInk = "#1f2a33", *kFaint = "#5d6b76", *kGrid = "#e3e9ed", *kRoof = "#c2571a",
                     *kPoint = "#1b7f79";
constexpr double kLeft = 84, kBottom = 46, kTop = 12, kRight = 12;

struct Axis {
  double low, high;      // values at the ends, > 0
  double begin, length;  // pixels; the length may be negative
  double at(double value) const {
    return begin + length * (std::log(value / low) / std::log(high / low));
  }
};

std::string text(double x, double y, const char* colour, const char* anchor,
                 const std::string& content) {
  return fmt::format(
      "<text x=\"{:.1f}\" y=\"{:.1f}\" fill=\"{}\" font-size=\"13\" text-anchor=\"{}\">{}</text>\n",
      x, y, colour, anchor, content);
}

std::string line(double x1, double y1, double x2, double y2, const char* colour, double width) {
  return fmt::format(
      "<line x1=\"{:.1f}\" y1=\"{:.1f}\" x2=\"{:.1f}\" y2=\"{:.1f}\" stroke=\"{}\" "
      "stroke-width=\"{:.1f}\"/>\n",
      x1, y1, x2, y2, colour, width);
}

std::string operations(double value) {
  return value >= 1e12 ? fmt::format("{:g} TOPS", value / 1e12)
                       : fmt::format("{:g} GOPS", value / 1e9);
}

}  // namespace

std::string roofline_svg(const RooflineChart& chart, double x, double y) {
  const double ridge = chart.operations_per_second / chart.bytes_per_second;
  double left = ridge, right = ridge, low = chart.operations_per_second;
  for (const RooflinePoint& point : chart.points) {
    left = std::min(left, point.intensity);
    right = std::max(right, point.intensity);
    low = std::min(low, point.operations);
  }
  const Axis across = {left / 2, right * 2, x + kLeft, kRooflineWidth - kLeft - kRight};
  const Axis up = {std::pow(10, std::floor(std::log10(low / 1.5))),
                   chart.operations_per_second * 1.6, y + kRooflineHeight - kBottom,
                   -(kRooflineHeight - kBottom - kTop)};
  const double end = across.begin + across.length, top = up.begin + up.length;
  std::string svg;
  for (double value = up.low; value < up.high; value *= 10) {
    svg += line(across.begin, up.at(value), end, up.at(value), kGrid, 1);
    svg += text(across.begin - 8, up.at(value) + 4, kFaint, "end", operations(value));
  }
  for (double value = std::pow(10, std::ceil(std::log10(across.low))); value < across.high;
       value *= 10) {
    svg += line(across.at(value), up.begin, across.at(value), top, kGrid, 1);
    svg += text(across.at(value), up.begin + 18, kFaint, "middle", fmt::format("{:g}", value));
  }
  svg += text((across.begin + end) / 2, up.begin + 38, kFaint, "middle",
              "operations for each byte of weights");
  // The slope begins at the left end, or where it comes out of the floor.
  const double start = std::max(across.low, up.low / chart.bytes_per_second);
  svg += line(across.at(start), up.at(start * chart.bytes_per_second), across.at(ridge),
              up.at(chart.operations_per_second), kRoof, 2.5);
  svg += line(across.at(ridge), up.at(chart.operations_per_second), end,
              up.at(chart.operations_per_second), kRoof, 2.5);
  svg += text(end, up.at(chart.operations_per_second) - 7, kRoof, "end",
              fmt::format("int8 {:.2f} TOPS, memory {:.1f} GB/s",
                          chart.operations_per_second / 1e12, chart.bytes_per_second / 1e9));
  bool above = false;  // labels of neighbours take turns
  for (const RooflinePoint& point : chart.points) {
    const double roof =
        std::min(chart.operations_per_second, point.intensity * chart.bytes_per_second);
    const double px = across.at(point.intensity), py = up.at(point.operations);
    const bool right_half = px > (across.begin + end) / 2;
    svg +=
        fmt::format("<circle cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"5\" fill=\"{}\"/>\n", px, py, kPoint);
    above = !above;
    svg += text(right_half ? px - 10 : px + 10, py + (above ? -9 : 17), kInk,
                right_half ? "end" : "start",
                fmt::format("{}: {:.0f} %", point.label, 100 * point.operations / roof));
  }
  return svg;
}

}  // namespace cli
