// SPDX-License-Identifier: Apache-2.0
// The model's own Jinja chat template, executed: messages in, prompt text out, exactly as
// transformers renders it (trim_blocks and lstrip_blocks on, sandboxed). The subset of Jinja:
// docs/formats/chat_template.md.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/json.h"

namespace phial {

class ChatTemplate {
 public:
  // Throws kCorrupt (syntax error with line), kUnsupported (a construct that the subset lacks, by
  // name).
  explicit ChatTemplate(std::string_view source, std::string where = "chat template");
  ~ChatTemplate();
  ChatTemplate(ChatTemplate&&) noexcept;

  // `messages`: array of objects with at least "role"; `variables`: bos_token, eos_token, tools,
  // anything else that the template may read. Undefined names render as nothing, as in Jinja. A
  // template's raise_exception() throws kInvalidArgument with its message. Thread-safe; bounded in
  // steps and output (kUnsupported beyond).
  std::string render(const Json& messages, bool add_generation_prompt, const Json& variables) const;

  struct Node;

 private:
  std::unique_ptr<Node> root_;
  std::string where_;
};

}  // namespace phial
