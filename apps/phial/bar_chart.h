// SPDX-License-Identifier: Apache-2.0
// Horizontal bars as an SVG: enough for a comparison, no plotting library.
#pragma once

#include <string>
#include <vector>

namespace cli {

struct Bar {
  std::string label;
  double value = 0;  // at least 0
  std::string text;  // how people read the value
};

struct BarChart {
  std::string title;
  std::vector<Bar> bars;  // the shortest is marked as the best
};

// The charts one below the other, under a heading.
std::string bar_charts_svg(const std::string& heading, const std::string& below,
                           const std::vector<BarChart>& charts);

}  // namespace cli
