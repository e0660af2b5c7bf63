// SPDX-License-Identifier: Apache-2.0
// When a reply ends: stop ids and stop strings. Stop strings are found across token borders; text
// that may still become one is held back, so that nothing of a stop string is ever emitted.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "backend/session.h"

namespace phial {

class StopRule {
 public:
  StopRule(std::vector<TokenId> ids, std::vector<std::string> strings);

  bool is_stop(TokenId id) const;

  // Feeds decoded text. Appends to `out` what can safely be shown; true if a stop string was
  // completed (out then ends right before it; which one: matched()).
  bool push(std::string_view text, std::string& out);
  void finish(std::string& out);  // the reply ended otherwise: what was held back is text after all
  const std::string& matched() const { return matched_; }

 private:
  std::vector<TokenId> ids_;  // sorted
  std::vector<std::string> strings_;
  std::string held_, matched_;
};

}  // namespace phial
