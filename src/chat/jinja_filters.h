// SPDX-License-Identifier: Apache-2.0
// How a filter is listed. A filter either has named parameters, or takes its arguments as they come
// (map, select).
#pragma once

#include <span>
#include <string_view>

#include "chat/jinja_eval.h"

namespace phial {

struct JinjaFilterEntry {
  std::string_view name;
  JinjaValue (*run)(JinjaRenderer& renderer, const JinjaValue& input, JinjaBound& arguments);
  std::string_view parameters;
  size_t required;
  JinjaValue (*raw)(JinjaRenderer& renderer, const JinjaValue& input,
                    JinjaArguments arguments) = nullptr;
};

std::span<const JinjaFilterEntry> jinja_list_filters();

}  // namespace phial
