// SPDX-License-Identifier: Apache-2.0
// The split rules of byte-level tokenizers: where a text is cut before BPE. Each is a known regular
// expression of a tokenizer.json, written out by hand so that it takes linear time. Not a regex
// engine.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

namespace phial {

enum class SplitRule {
  kGpt2,    // what ByteLevel does with use_regex
  kCl100k,  // Phi-4 (and Llama 3)
  kO200k,   // Phi-4-mini
};

// The rule with this pattern, in any of its spellings that mean the same; nullopt if it isn't
// known.
std::optional<SplitRule> split_rule_of_pattern(std::string_view pattern);

// End of the piece that begins at `pos` (< text.size()); text is valid UTF-8. Each rule matches
// everywhere, so pieces follow each other without gaps.
size_t split_end(SplitRule rule, std::string_view text, size_t pos);

}  // namespace phial
