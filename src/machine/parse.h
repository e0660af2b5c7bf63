// SPDX-License-Identifier: Apache-2.0
// Small forms that Linux's files have. Private to this layer.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace phial {

// Of lines "key: value" or "key=value" the value of the first with this key, white space around it
// left out.
std::optional<std::string> value_of_key(std::string_view text, std::string_view key);

// "0-3,8": what the kernel calls a list of processors. Empty for anything else.
std::vector<int> parse_cpu_list(const std::string& text);

}  // namespace phial
