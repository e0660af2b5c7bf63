// SPDX-License-Identifier: Apache-2.0
// Which ids end a turn. Files of one model disagree (Phi-3's config.json names <|endoftext|> only,
// though every turn ends with <|end|>), so it is the union of what all of them say and of what the
// template itself writes.
#include <algorithm>

#include "chat/conversation.h"

namespace phial {
namespace {

// Texts that can only be the end of a turn or of a document in the Phi families.
constexpr std::string_view kEndTokens[] = {"<|end|>", "<|im_end|>", "<|endoftext|>", "</s>"};

}  // namespace

std::vector<TokenId> stop_ids_of(const SideFiles& files, const Tokenizer& tokenizer) {
  std::vector<TokenId> ids;
  for (const int32_t id : files.eos_ids()) {
    if (id >= 0) ids.push_back(id);
  }
  const auto add = [&](std::string_view token) {
    if (const auto id = tokenizer.token_to_id(token)) ids.push_back(*id);
  };
  if (!files.eos_token.empty()) add(files.eos_token);
  for (const std::string_view token : kEndTokens) {
    const auto id = tokenizer.token_to_id(token);
    const bool written = files.chat_template.find(token) != std::string::npos;
    // Not special and not written (</s> in later Phi-3 files) means: an ordinary piece of text.
    if (id && (written || tokenizer.is_special(*id))) ids.push_back(*id);
  }
  std::sort(ids.begin(), ids.end());
  ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
  return ids;
}

}  // namespace phial
