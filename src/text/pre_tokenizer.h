// SPDX-License-Identifier: Apache-2.0
// The pre_tokenizer of a tokenizer.json: the steps that cut a normalized text into the pieces that
// BPE sees.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "text/split_rule.h"

namespace phial {

class PreTokenizer {
 public:
  // From the file's "pre_tokenizer" (may be missing or null). Throws kCorrupt, kUnsupported.
  explicit PreTokenizer(const JsonView& file);

  using Sink = std::function<void(std::string_view piece)>;
  // Calls `sink` with the pieces of `text` in order. `at_start` says that the text begins where the
  // whole input does.
  void apply(std::string_view text, bool at_start, const Sink& sink) const {
    run(0, text, at_start, sink);
  }

 private:
  struct Step {
    enum class Kind { kSplit, kByteAlphabet, kPrefix, kMetaspace } kind;
    SplitRule rule = SplitRule::kGpt2;            // kSplit
    std::string mark;                             // kMetaspace: what stands for a space
    bool prepend = false, only_at_start = false;  // kMetaspace
  };
  void add(const JsonView& step, int depth);
  void add_byte_level(const JsonView& step);
  void add_metaspace(const JsonView& step);
  void add_split(const JsonView& step);
  void run(size_t step, std::string_view text, bool at_start, const Sink& sink) const;

  std::vector<Step> steps_;
};

}  // namespace phial
