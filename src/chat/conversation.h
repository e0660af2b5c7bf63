// SPDX-License-Identifier: Apache-2.0
// A chat: messages, the model's template, and a sequence of a Session whose cache is reused from
// turn to turn.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "chat/chat_template.h"
#include "checkpoint/side_files.h"
#include "generate/generator.h"

namespace phial {

// Every id that ends a turn: config's and generation_config's eos ids, tokenizer_config's
// eos_token, and the end-of-turn tokens that the template writes (<|end|>, <|im_end|>,
// <|endoftext|>), as far as the tokenizer has them. Sorted.
std::vector<TokenId> stop_ids_of(const SideFiles& files, const Tokenizer& tokenizer);

// The prompt of these messages as ids: template, then tokenizer, then BOS only if the file asks for
// it and the template didn't write it.
std::vector<TokenId> chat_prompt_ids(const ChatTemplate& chat_template, const SideFiles& files,
                                     const Tokenizer& tokenizer, const Json& messages,
                                     bool add_generation_prompt = true);

// Not thread-safe. The session, tokenizer and template must outlive it.
class Conversation {
 public:
  Conversation(Session& session, SequenceId seq, std::shared_ptr<const Tokenizer> tokenizer,
               std::shared_ptr<const ChatTemplate> chat_template, SideFiles files);

  void add(std::string role, std::string content);  // "system", "user", "assistant", "tool", ...
  const Json& messages() const { return messages_; }
  void set_messages(Json messages);  // whole history; validated
  void clear();                      // forgets all messages but a leading system one

  // The assistant's next turn; its text is added to the messages. A cancelled reply is kept as far
  // as it went. If the prompt doesn't fit, throws kContextFull and changes nothing.
  GenerateResult reply(const GenerateParams& params, const TextCallback& on_text = {},
                       const Interrupt& interrupt = {});

 private:
  Session& session_;
  SequenceId seq_;
  std::shared_ptr<const Tokenizer> tokenizer_;
  std::shared_ptr<const ChatTemplate> template_;
  SideFiles files_;
  Json messages_ = Json::array();
  std::vector<TokenId> cached_;
};

}  // namespace phial
