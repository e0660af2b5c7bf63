// SPDX-License-Identifier: Apache-2.0
// A roofline as part of an SVG: what a processor can do at most, over how many operations are done
// for each byte that is read, and where measurements lie below it. Both axes are logarithmic.
#pragma once

#include <string>
#include <vector>

namespace cli {

struct RooflinePoint {
  std::string label;
  double intensity = 0;   // operations a byte, > 0
  double operations = 0;  // a second, > 0
};

struct RooflineChart {
  double bytes_per_second = 0, operations_per_second = 0;
  std::vector<RooflinePoint> points;
};

constexpr double kRooflineWidth = 620, kRooflineHeight = 330;

// SVG elements within (x, y, x + kRooflineWidth, y + kRooflineHeight).
std::string roofline_svg(const RooflineChart& chart, double x, double y);

}  // namespace cli
