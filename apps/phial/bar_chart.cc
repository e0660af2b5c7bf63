// SPDX-License-Identifier: Apache-2.0
#include "bar_chart.h"

#include <fmt/format.h>

#include <algorithm>

namespace cli {

namespace {

// In pixels. Letters are taken to be 0.6 of their size wide at most.
constexpr double kMargin = 24, kBarHeight = 22, kBarGap = 10, kTitleHeight = 34, kChartGap = 22,
                 kBarRoom = 420, kFont = 14, kLetter = 0.6 * kFont;
constexpr const char *kBest = "#1b7f79", *kOther = "#9fb8c4", *kInk = "#1f2a33",
                     *kFaint = "#5d6b76";

std::string escaped(const std::string& text) {
  std::string result;
  for (const char c : text) switch (c) {
      case '&':
        result += "&amp;";
        break;
      case '<':
        result += "&lt;";
        break;
      case '>':
        result += "&gt;";
        break;
      default:
        result += c;
    }
  return result;
}

std::string text_at(double x, double y, const char* colour, double size, const char* more,
                    const std::string& text) {
  return fmt::format(
      "<text x=\"{:.1f}\" y=\"{:.1f}\" fill=\"{}\" font-size=\"{:.0f}\"{}>{}</text>\n", x, y,
      colour, size, more, escaped(text));
}

double longest(const std::vector<BarChart>& charts, std::string Bar::*text) {
  size_t letters = 0;
  for (const BarChart& chart : charts)
    for (const Bar& bar : chart.bars) letters = std::max(letters, (bar.*text).size());
  return static_cast<double>(letters) * kLetter;
}

}  // namespace

std::string bar_charts_svg(const std::string& heading, const std::string& below,
                           const std::vector<BarChart>& charts, const Drawing& drawing) {
  const double left = kMargin + longest(charts, &Bar::label) + 12;
  const double heading_width =
      static_cast<double>(std::max(heading.size(), below.size())) * kLetter;
  const double width = std::max(left + kBarRoom + 10 + longest(charts, &Bar::text) + kMargin,
                                std::max(heading_width, drawing.width) + 2 * kMargin);
  double y = kMargin + 14;
  std::string body = text_at(kMargin, y, kInk, 17, " font-weight=\"bold\"", heading);
  y += 22;
  body += text_at(kMargin, y, kFaint, kFont - 1, "", below);
  for (const BarChart& chart : charts) {
    y += kChartGap;
    body += text_at(kMargin, y + 18, kInk, kFont + 1, " font-weight=\"bold\"", chart.title);
    y += kTitleHeight;
    double most = 0, least = chart.bars.empty() ? 0 : chart.bars.front().value;
    for (const Bar& bar : chart.bars) {
      most = std::max(most, bar.value);
      least = std::min(least, bar.value);
    }
    for (const Bar& bar : chart.bars) {
      const double length = most > 0 ? std::max(1.0, kBarRoom * bar.value / most) : 1.0;
      const double middle = y + kBarHeight / 2 + 5;
      body += text_at(left - 12, middle, kInk, kFont, " text-anchor=\"end\"", bar.label);
      body += fmt::format(
          "<rect x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" height=\"{:.0f}\" fill=\"{}\"/>\n",
          left, y, length, kBarHeight, bar.value == least ? kBest : kOther);
      body += text_at(left + length + 10, middle, kInk, kFont, "", bar.text);
      y += kBarHeight + kBarGap;
    }
  }
  if (drawing.draw) {
    y += kChartGap;
    body += text_at(kMargin, y + 18, kInk, kFont + 1, " font-weight=\"bold\"", drawing.title);
    y += kTitleHeight;
    body += drawing.draw(kMargin, y);
    y += drawing.height;
  }
  const double height = y + kMargin - kBarGap;
  return fmt::format(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{0:.0f}\" height=\"{1:.0f}\" viewBox=\"0 "
      "0 "
      "{0:.0f} {1:.0f}\" font-family=\"Helvetica, Arial, sans-serif\">\n<rect width=\"100%\" "
      "height=\"100%\" fill=\"white\"/>\n{2}</svg>\n",
      width, height, body);
}

}  // namespace cli
