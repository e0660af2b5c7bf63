// SPDX-License-Identifier: Apache-2.0
// Lines over time as an SVG, in the style of bar_chart.h. A value that isn't there leaves a gap.
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace cli {

struct ChartLine {
  std::string label;
  std::vector<std::optional<double>> values;  // one a moment
};

struct LineChart {
  std::string title;
  double top = 0;  // of the scale; 0: the highest value
  std::vector<ChartLine> lines;
};

// `seconds`: the moments that all lines have their values at, at least one.
std::string line_charts_svg(const std::string& heading, const std::string& below,
                            const std::vector<double>& seconds,
                            const std::vector<LineChart>& charts);

}  // namespace cli
