// SPDX-License-Identifier: Apache-2.0
// Facts about the computer as people read them; what the system doesn't tell is "n/a".
#pragma once

#include <string>

#include "statistics.h"

namespace cli {

std::string clock_text(const Json& mhz);    // "2.25 GHz", "800 MHz"
std::string bytes_text(const Json& bytes);  // as human_bytes
std::string text_or(const Json& text, const char* otherwise);
// What `to_text` makes of a number, or "n/a" for null.
std::string text_or_na(const Json& value, std::string (*to_text)(const Json&));

// "Ubuntu 24.04.3 LTS, Linux 6.14.0, 33.38 GB memory (21.99 GB available), on mains"
std::string machine_line(const Json& machine);

// Words of a text broken into lines of this width; those after the first begin with `indent`
// spaces.
std::string wrapped(const std::string& text, size_t indent, size_t width = 110);

}  // namespace cli
