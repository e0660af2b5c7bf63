// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "cli.h"
#include "plot_file.h"

namespace cli {

std::string png_of_svg(const std::string& path, const std::string&) {
  throw Failure(
      fmt::format("{}: on Windows phial writes plots as SVG, which every browser shows and prints; "
                  "call it something.svg",
                  path),
      kExitUsage);
}

}  // namespace cli
