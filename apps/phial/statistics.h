// SPDX-License-Identifier: Apache-2.0
// What an answer cost, as a line for people and as JSON for scripts.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <phial/phial.hpp>
#include <string>
#include <vector>

namespace cli {

using Json = nlohmann::ordered_json;

std::string statistics_line(const phial::Result& result);

// {"text", "ids", "prompt_ids", "finish_reason", ..., "timings", "stats", "device", "tier"}
Json result_json(const phial::Result& result, const std::vector<int32_t>& prompt_ids,
                 double load_seconds);

std::string dump(const Json& json, int indent = 2);  // invalid UTF-8 becomes U+FFFD

}  // namespace cli
