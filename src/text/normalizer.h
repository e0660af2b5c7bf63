// SPDX-License-Identifier: Apache-2.0
// The normalizer of a tokenizer.json: prepending and replacing strings, which is all that the
// family uses.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"

namespace phial {

// `text` with every `pattern` (not empty) replaced, from left to right.
std::string replace_all(std::string_view text, std::string_view pattern, std::string_view content);

class Normalizer {
 public:
  // From the file's "normalizer" (may be missing or null). Throws kCorrupt, kUnsupported.
  explicit Normalizer(const JsonView& file);

  std::string apply(std::string_view text) const;
  bool empty() const { return steps_.empty(); }

 private:
  struct Step {
    std::string pattern;  // empty: prepend `content` to a text that isn't empty
    std::string content;
  };
  void add(const JsonView& step, int depth);

  std::vector<Step> steps_;
};

}  // namespace phial
