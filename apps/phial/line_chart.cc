// SPDX-License-Identifier: Apache-2.0
#include "line_chart.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace cli {

namespace {

// In pixels.
constexpr double kMargin = 24, kLeft = 70, kWidth = 620, kHeight = 130, kGap = 66, kLegend = 210;
constexpr int kFont = 14;
constexpr const char *kInk = "#1f2a33", *kFaint = "#5d6b76", *kGrid = "#dfe6ea";
// Told apart by those who don't see all colours as well.
constexpr const char* kColours[] = {"#1b7f79", "#d1495b", "#2e4a9e", "#d99000",
                                    "#7a4ea3", "#5d6b76", "#3a9d3a"};

std::string escaped(const std::string& text) {
  std::string result;
  for (const char c : text)
    result += c == '&' ? "&amp;" : c == '<' ? "&lt;" : c == '>' ? "&gt;" : std::string(1, c);
  return result;
}

std::string text_at(double x, double y, const char* colour, int size, const char* more,
                    const std::string& text) {
  return fmt::format("<text x=\"{:.1f}\" y=\"{:.1f}\" fill=\"{}\" font-size=\"{}\"{}>{}</text>\n",
                     x, y, colour, size, more, escaped(text));
}

// 1, 2 or 5 times a power of ten, at least `value`.
double round_up(double value) {
  if (!(value > 0)) return 1;
  const double power = std::pow(10, std::floor(std::log10(value)));
  for (const double factor : {1.0, 2.0, 5.0})
    if (value <= factor * power) return factor * power;
  return 10 * power;
}

double top_of(const LineChart& chart) {
  if (chart.top > 0) return chart.top;
  double most = 0;
  for (const ChartLine& line : chart.lines)
    for (const auto& value : line.values) most = std::max(most, value.value_or(0));
  return round_up(most);
}

std::string draw_line(const ChartLine& line, const char* colour, const std::vector<double>& seconds,
                      double bottom, double top) {
  const double first = seconds.front(), span = std::max(seconds.back() - first, 1e-9);
  std::string path;
  bool pen_is_down = false;
  for (size_t i = 0; i < std::min(seconds.size(), line.values.size()); ++i) {
    if (!line.values[i]) {
      pen_is_down = false;
      continue;
    }
    const double x = kLeft + kWidth * (seconds[i] - first) / span;
    const double y = bottom - kHeight * std::clamp(*line.values[i] / top, 0.0, 1.0);
    path += fmt::format("{}{:.1f} {:.1f} ", pen_is_down ? "L" : "M", x, y);
    if (!pen_is_down) path += fmt::format("L{:.1f} {:.1f} ", x, y);  // one alone is a dot
    pen_is_down = true;
  }
  if (path.empty()) return {};
  return fmt::format(
      "<path d=\"{}\" fill=\"none\" stroke=\"{}\" stroke-width=\"2\" stroke-linecap=\"round\"/>\n",
      path, colour);
}

std::string draw(const LineChart& chart, const std::vector<double>& seconds, double y) {
  const double bottom = y + kHeight, top = top_of(chart);
  std::string body =
      text_at(kMargin, y - 14, kInk, kFont + 1, " font-weight=\"bold\"", chart.title);
  for (const double share : {0.0, 0.5, 1.0}) {
    const double at = bottom - kHeight * share;
    body += fmt::format(
        "<line x1=\"{0:.1f}\" y1=\"{1:.1f}\" x2=\"{2:.1f}\" y2=\"{1:.1f}\" stroke=\"{3}\"/>\n",
        kLeft, at, kLeft + kWidth, kGrid);
    body += text_at(kLeft - 8, at + 4, kFaint, kFont - 2, " text-anchor=\"end\"",
                    fmt::format("{:g}", top * share));
  }
  double legend = y + 12;
  for (size_t i = 0; i < chart.lines.size(); ++i) {
    const char* colour = kColours[i % std::size(kColours)];
    body += draw_line(chart.lines[i], colour, seconds, bottom, top);
    body += fmt::format(
        "<line x1=\"{0:.1f}\" y1=\"{1:.1f}\" x2=\"{2:.1f}\" y2=\"{1:.1f}\" stroke=\"{3}\" "
        "stroke-width=\"3\"/>\n",
        kLeft + kWidth + 14, legend - 4, kLeft + kWidth + 34, colour);
    body += text_at(kLeft + kWidth + 40, legend, kInk, kFont - 1, "", chart.lines[i].label);
    legend += 20;
  }
  return body;
}

}  // namespace

std::string line_charts_svg(const std::string& heading, const std::string& below,
                            const std::vector<double>& seconds,
                            const std::vector<LineChart>& charts) {
  double y = kMargin + 14;
  std::string body = text_at(kMargin, y, kInk, 17, " font-weight=\"bold\"", heading);
  y += 22;
  body += text_at(kMargin, y, kFaint, kFont - 1, "", below);
  for (const LineChart& chart : charts) {
    y += kGap;
    body += draw(chart, seconds, y);
    y += kHeight;
  }
  if (!seconds.empty()) {
    body += text_at(kLeft, y + 18, kFaint, kFont - 2, "", "0 s");
    body += text_at(kLeft + kWidth, y + 18, kFaint, kFont - 2, " text-anchor=\"end\"",
                    fmt::format("{:.0f} s", seconds.back() - seconds.front()));
  }
  const double width = kLeft + kWidth + kLegend, height = y + 18 + kMargin;
  return fmt::format(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{0:.0f}\" height=\"{1:.0f}\" viewBox=\"0 "
      "0 {0:.0f} {1:.0f}\" font-family=\"Helvetica, Arial, sans-serif\">\n<rect width=\"100%\" "
      "height=\"100%\" fill=\"white\"/>\n{2}</svg>\n",
      width, height, body);
}

}  // namespace cli
