// SPDX-License-Identifier: Apache-2.0
#include "generate/stop_rule.h"

#include <algorithm>
#include <utility>

#include "base/error.h"

namespace phial {

StopRule::StopRule(std::vector<TokenId> ids, std::vector<std::string> strings)
    : ids_(std::move(ids)), strings_(std::move(strings)) {
  std::sort(ids_.begin(), ids_.end());
  ids_.erase(std::unique(ids_.begin(), ids_.end()), ids_.end());
  size_t longest = 0;
  for (const std::string& string : strings_) {
    if (string.empty()) {
      throw_error(
          Code::kInvalidArgument,
          "stop string: found an empty one, expected text (it would end every reply at once)");
    }
    longest = std::max(longest, string.size());
  }
  held_.reserve(2 * longest + 256);  // so that pushes of ordinary size don't allocate
}

bool StopRule::is_stop(TokenId id) const {
  return std::binary_search(ids_.begin(), ids_.end(), id);
}

bool StopRule::push(std::string_view text, std::string& out) {
  if (strings_.empty()) {
    out += text;
    return false;
  }
  held_ += text;
  // The match that ends first wins (so the result doesn't depend on how the text is cut into
  // pieces); of those that end at the same place the longest, so that nothing of any stop string is
  // shown.
  size_t best_end = std::string::npos;
  const std::string* best = nullptr;
  for (const std::string& string : strings_) {
    const size_t at = held_.find(string);
    if (at == std::string::npos) continue;
    const size_t end = at + string.size();
    if (end < best_end || (end == best_end && string.size() > best->size())) {
      best_end = end;
      best = &string;
    }
  }
  if (best) {
    out.append(held_, 0, best_end - best->size());
    matched_ = *best;
    held_.clear();
    return true;
  }
  // What must be kept: the longest end of the text that is the beginning of some stop string.
  size_t keep = 0;
  for (const std::string& string : strings_) {
    for (size_t n = std::min(string.size() - 1, held_.size()); n > keep; --n) {
      if (held_.compare(held_.size() - n, n, string, 0, n) == 0) keep = n;
    }
  }
  out.append(held_, 0, held_.size() - keep);
  held_.erase(0, held_.size() - keep);
  return false;
}

void StopRule::finish(std::string& out) {
  out += held_;
  held_.clear();
}

}  // namespace phial
