// SPDX-License-Identifier: Apache-2.0
#include "base/json.h"

#include "base/error.h"

namespace phial {
namespace {

constexpr int kMaxDepth =
    64;  // no file of a model nests deeper than 8; a bomb of brackets stops here

}  // namespace

Json parse_json(std::string_view text, std::string_view where) {
  try {
    return Json::parse(text.begin(), text.end(), [&](int depth, Json::parse_event_t, Json&) {
      if (depth > kMaxDepth)
        throw_error(Code::kCorrupt, "{}: JSON nests deeper than {} levels", where, kMaxDepth);
      return true;
    });
  } catch (const Json::exception& e) {
    std::string reason =
        e.what();  // "[json.exception.parse_error.101] parse error at line 1, column 2: ..."
    if (auto bracket = reason.find("] "); bracket != std::string::npos)
      reason.erase(0, bracket + 2);
    throw_error(Code::kCorrupt, "{}: not valid JSON: {}", where, reason);
  }
}

Json read_json(const fs::path& path) { return parse_json(read_file(path), path.string()); }

JsonView::JsonView(const Json& object, std::string where)
    : json_(object), where_(std::move(where)) {
  if (!json_.is_object())
    throw_error(Code::kCorrupt, "{}: expected a JSON object, found {}", where_, json_.type_name());
}

bool JsonView::has(std::string_view key) const {
  auto it = json_.find(key);
  return it != json_.end() && !it->is_null();
}

const Json& JsonView::at(std::string_view key) const {
  auto it = json_.find(key);
  if (it == json_.end()) throw_error(Code::kCorrupt, "{}: key '{}' is missing", where_, key);
  return *it;
}

int64_t JsonView::integer(std::string_view key, int64_t min, int64_t max) const {
  const Json& value = at(key);
  if (!value.is_number_integer())
    throw_error(Code::kCorrupt, "{}: '{}' must be an integer, found {}", where_, key,
                value.type_name());
  if (value.is_number_unsigned() && value.get<uint64_t>() > static_cast<uint64_t>(INT64_MAX))
    throw_error(Code::kCorrupt, "{}: '{}' is {}, expected {} to {}", where_, key,
                value.get<uint64_t>(), min, max);
  const int64_t n = value.get<int64_t>();
  if (n < min || n > max)
    throw_error(Code::kCorrupt, "{}: '{}' is {}, expected {} to {}", where_, key, n, min, max);
  return n;
}

double JsonView::number(std::string_view key) const {
  const Json& value = at(key);
  if (!value.is_number())
    throw_error(Code::kCorrupt, "{}: '{}' must be a number, found {}", where_, key,
                value.type_name());
  return value.get<double>();
}

std::string JsonView::string(std::string_view key) const {
  const Json& value = at(key);
  if (!value.is_string())
    throw_error(Code::kCorrupt, "{}: '{}' must be a string, found {}", where_, key,
                value.type_name());
  return value.get<std::string>();
}

JsonView JsonView::object(std::string_view key) const {
  return JsonView(at(key), where_ + ": '" + std::string(key) + "'");
}

int64_t JsonView::integer_or(std::string_view key, int64_t fallback, int64_t min,
                             int64_t max) const {
  return has(key) ? integer(key, min, max) : fallback;
}

double JsonView::number_or(std::string_view key, double fallback) const {
  return has(key) ? number(key) : fallback;
}

bool JsonView::boolean_or(std::string_view key, bool fallback) const {
  if (!has(key)) return fallback;
  const Json& value = at(key);
  if (!value.is_boolean())
    throw_error(Code::kCorrupt, "{}: '{}' must be true or false, found {}", where_, key,
                value.type_name());
  return value.get<bool>();
}

std::string JsonView::string_or(std::string_view key, std::string fallback) const {
  return has(key) ? string(key) : std::move(fallback);
}

}  // namespace phial
