// SPDX-License-Identifier: Apache-2.0
// JSON from outside: parsing with limits, and typed reads whose errors name the file, the key, what
// was found and what was expected. Object order is kept (Json is nlohmann's ordered_json), so that
// what we write reads well.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "base/file.h"

namespace phial {

using Json = nlohmann::ordered_json;

// `where` names the text in errors (a file's path). Throws kCorrupt on anything but one valid JSON
// value (UTF-8, at most 64 levels deep).
Json parse_json(std::string_view text, std::string_view where);

// read_file + parse_json.
Json read_json(const fs::path& path);

// An object with the place it came from. Cheap view: the Json must outlive it.
class JsonView {
 public:
  JsonView(const Json& object, std::string where);  // throws kCorrupt if it isn't an object

  bool has(std::string_view key) const;  // there and not null
  // Required: throws kCorrupt if missing or of another type.
  int64_t integer(std::string_view key, int64_t min, int64_t max) const;
  double number(std::string_view key) const;
  std::string string(std::string_view key) const;
  const Json& at(std::string_view key) const;
  JsonView object(std::string_view key) const;
  // Optional: the fallback if missing or null; throws kCorrupt if of another type.
  int64_t integer_or(std::string_view key, int64_t fallback, int64_t min, int64_t max) const;
  double number_or(std::string_view key, double fallback) const;
  bool boolean_or(std::string_view key, bool fallback) const;
  std::string string_or(std::string_view key, std::string fallback) const;

  const Json& json() const { return json_; }
  const std::string& where() const { return where_; }

 private:
  const Json& json_;
  std::string where_;
};

}  // namespace phial
