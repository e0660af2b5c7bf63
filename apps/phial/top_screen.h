// SPDX-License-Identifier: Apache-2.0
// One sample of `phial top` as text for a terminal of some width; and all of them as a drawing.
#pragma once

#include <string>
#include <vector>

#include "statistics.h"

namespace cli {

std::string top_screen(const Json& sample, const std::string& heading, size_t width);

std::string top_plot(const std::vector<Json>& samples, const std::string& heading);

}  // namespace cli
