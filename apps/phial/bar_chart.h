// SPDX-License-Identifier: Apache-2.0
// Horizontal bars as an SVG: enough for a comparison, no plotting library.
#pragma once

#include <functional>
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

// Something else to stand below the bars.
struct Drawing {
  std::string title;
  double width = 0, height = 0;
  std::function<std::string(double x, double y)> draw;  // its SVG elements; empty: there is none
};

// The charts one below the other, under a heading.
std::string bar_charts_svg(const std::string& heading, const std::string& below,
                           const std::vector<BarChart>& charts, const Drawing& drawing = {});

}  // namespace cli
