// SPDX-License-Identifier: Apache-2.0
// Small forms that Linux's files have. Private to this layer.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace phial {

// Of lines "key: value" or "key=value" the value of the first with this key, white space around it
// left out.
std::optional<std::string> value_of_key(std::string_view text, std::string_view key);

// "24576K" or "32594540 kB" with the unit 1024; nothing if it isn't a number or can't be true.
std::optional<uint64_t> parse_bytes(const std::string& text, uint64_t unit);

// "0-3,8": what the kernel calls a list of processors. Empty for anything else.
std::vector<int> parse_cpu_list(const std::string& text);

}  // namespace phial
