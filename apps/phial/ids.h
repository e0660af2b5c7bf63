// SPDX-License-Identifier: Apache-2.0
// Lists of token ids as people and scripts write them: a JSON array, or numbers with commas or
// spaces between.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace cli {

// `where` names the text in errors. Throws Failure.
std::vector<int32_t> parse_ids(std::string_view text, const std::string& where);

}  // namespace cli
