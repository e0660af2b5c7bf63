// SPDX-License-Identifier: Apache-2.0
#include "chat/conversation.h"

#include <utility>

#include "base/error.h"
#include "base/utf8.h"

namespace phial {
namespace {

void check_messages(const Json& messages) {
  if (!messages.is_array()) {
    throw_error(Code::kInvalidArgument, "messages: found a JSON {}, expected an array",
                messages.type_name());
  }
  for (size_t i = 0; i < messages.size(); ++i) {
    const Json& message = messages[i];
    if (!message.is_object()) {
      throw_error(Code::kInvalidArgument, "messages[{}]: found a JSON {}, expected an object", i,
                  message.type_name());
    }
    const auto role = message.find("role");
    if (role == message.end() || !role->is_string() ||
        role->get_ref<const std::string&>().empty()) {
      throw_error(Code::kInvalidArgument, "messages[{}]: 'role' is missing, empty or not a string",
                  i);
    }
    const auto content = message.find("content");
    if (content != message.end() && !content->is_string() && !content->is_array() &&
        !content->is_null()) {
      throw_error(Code::kInvalidArgument, "messages[{}]: 'content' is a JSON {}, expected a string",
                  i, content->type_name());
    }
  }
}

// The names that transformers passes to a template: its special_tokens_map.
Json template_variables(const SideFiles& files) {
  Json variables = Json::object();
  const auto add = [&](const char* name, const std::string& token) {
    if (!token.empty()) variables[name] = token;
  };
  add("bos_token", files.bos_token);
  add("eos_token", files.eos_token);
  add("unk_token", files.unk_token);
  add("pad_token", files.pad_token);
  if (files.tokenizer_config.is_object()) {
    const auto more = files.tokenizer_config.find("additional_special_tokens");
    if (more != files.tokenizer_config.end() && more->is_array() && !more->empty()) {
      Json tokens = Json::array();
      for (const Json& token : *more) {
        if (token.is_string()) tokens.push_back(token);
        if (token.is_object() && token.contains("content")) tokens.push_back(token["content"]);
      }
      variables["additional_special_tokens"] = std::move(tokens);
    }
  }
  return variables;
}

}  // namespace

std::vector<TokenId> chat_prompt_ids(const ChatTemplate& chat_template, const SideFiles& files,
                                     const Tokenizer& tokenizer, const Json& messages,
                                     bool add_generation_prompt) {
  check_messages(messages);
  const std::string text =
      chat_template.render(messages, add_generation_prompt, template_variables(files));
  std::vector<TokenId> ids = tokenizer.encode(text);
  if (files.add_bos_token && !files.bos_token.empty() && !text.starts_with(files.bos_token)) {
    const auto bos = tokenizer.token_to_id(files.bos_token);
    if (!bos) {
      throw_error(Code::kCorrupt,
                  "tokenizer_config.json: bos_token '{}' isn't a token of tokenizer.json",
                  files.bos_token);
    }
    ids.insert(ids.begin(), *bos);
  }
  return ids;
}

Conversation::Conversation(Session& session, SequenceId seq,
                           std::shared_ptr<const Tokenizer> tokenizer,
                           std::shared_ptr<const ChatTemplate> chat_template, SideFiles files)
    : session_(session),
      seq_(seq),
      tokenizer_(std::move(tokenizer)),
      template_(std::move(chat_template)),
      files_(std::move(files)) {}

void Conversation::add(std::string role, std::string content) {
  if (role.empty())
    throw_error(Code::kInvalidArgument, "message: the role is empty, expected user, system, ...");
  Json message = Json::object();
  message["role"] = utf8_replace_invalid(role);
  message["content"] = utf8_replace_invalid(content);
  messages_.push_back(std::move(message));
}

void Conversation::set_messages(Json messages) {
  check_messages(messages);
  messages_ = std::move(messages);
}

void Conversation::clear() {
  Json kept = Json::array();
  if (!messages_.empty() && messages_[0]["role"] == "system") kept.push_back(messages_[0]);
  messages_ = std::move(kept);
}

GenerateResult Conversation::reply(const GenerateParams& params, const TextCallback& on_text,
                                   const Interrupt& interrupt) {
  if (messages_.empty()) {
    throw_error(Code::kInvalidArgument,
                "conversation: there are no messages, expected at least one to reply to");
  }
  const std::vector<TokenId> prompt = chat_prompt_ids(*template_, files_, *tokenizer_, messages_);
  GenerateParams used = params;
  if (used.stop_ids.empty()) used.stop_ids = stop_ids_of(files_, *tokenizer_);
  GenerateResult result =
      generate(session_, seq_, cached_, tokenizer_, prompt, used, on_text, interrupt);
  // A reply that was cancelled before its first token is no turn.
  if (result.stats.generated_tokens > 0) add("assistant", result.text);
  return result;
}

}  // namespace phial
