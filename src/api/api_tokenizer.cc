// SPDX-License-Identifier: Apache-2.0
// The tokenizer handle: encode, decode, chat prompts.
#include "api/handles.h"

using phial::Code;
using phial::throw_error;
namespace api = phial::api;

phial_tokenizer::phial_tokenizer(const std::string& folder)
    : tokenizer(phial::Tokenizer::open(folder)), files(phial::read_side_files(folder)) {}

phial_tokenizer::phial_tokenizer(std::shared_ptr<const phial::Tokenizer> tokenizer,
                                 phial::SideFiles files)
    : tokenizer(std::move(tokenizer)), files(std::move(files)) {}

std::vector<phial::TokenId> phial_tokenizer::encode(std::string_view text, bool bos_if_asked,
                                                    bool parse_special) const {
  std::vector<phial::TokenId> ids = tokenizer->encode(text, parse_special);
  if (bos_if_asked && files.add_bos_token) {
    const auto bos = tokenizer->token_to_id(files.bos_token);
    if (!bos) {
      throw_error(
          Code::kCorrupt,
          "{}: tokenizer_config.json asks for the BOS token '{}', which the tokenizer lacks",
          files.folder.string(), files.bos_token);
    }
    ids.insert(ids.begin(), *bos);
  }
  return ids;
}

std::shared_ptr<const phial::ChatTemplate> phial_tokenizer::chat_template() const {
  const std::lock_guard lock(mutex_);
  if (!template_) {
    if (files.chat_template.empty()) {
      throw_error(Code::kNotFound,
                  "{}: no chat template (neither chat_template.jinja nor one in "
                  "tokenizer_config.json): use raw text",
                  files.folder.string());
    }
    template_ = std::make_shared<const phial::ChatTemplate>(
        files.chat_template, files.folder.string() + ": chat template");
  }
  return template_;
}

namespace {

phial::Json parse_messages(const char* json) {
  api::need(json, "messages_json");
  phial::Json messages = phial::parse_json(json, "messages");
  if (!messages.is_array()) {
    throw_error(Code::kInvalidArgument, "messages: found a JSON {}, expected an array of messages",
                messages.type_name());
  }
  return messages;
}

// What transformers gives a template beside the messages.
phial::Json template_variables(const phial::SideFiles& files) {
  phial::Json variables = phial::Json::object();
  const auto set = [&](const char* name, const std::string& value) {
    if (!value.empty()) variables[name] = value;
  };
  set("bos_token", files.bos_token);
  set("eos_token", files.eos_token);
  set("pad_token", files.pad_token);
  set("unk_token", files.unk_token);
  return variables;
}

}  // namespace

extern "C" {

phial_error* phial_tokenizer_open(const char* folder, phial_tokenizer** tokenizer) {
  return api::guarded([&] {
    api::need(folder, "folder");
    api::need(tokenizer, "tokenizer");
    *tokenizer = new phial_tokenizer(folder);
  });
}

void phial_tokenizer_close(phial_tokenizer* tokenizer) { delete tokenizer; }

phial_error* phial_tokenizer_encode(const phial_tokenizer* tokenizer, const char* text,
                                    size_t length, unsigned flags, int32_t** ids, size_t* n_ids) {
  return api::guarded([&] {
    api::need(tokenizer, "tokenizer");
    if (length) api::need(text, "text");
    api::need(ids, "ids");
    api::need(n_ids, "n_ids");
    const std::vector<int32_t> found = tokenizer->encode(
        {text, length}, (flags & PHIAL_ENCODE_BOS) != 0, (flags & PHIAL_ENCODE_PLAIN_SPECIAL) == 0);
    *ids = api::copy_ids(found);
    *n_ids = found.size();
  });
}

phial_error* phial_tokenizer_decode(const phial_tokenizer* tokenizer, const int32_t* ids,
                                    size_t n_ids, int keep_special, char** text, size_t* length) {
  return api::guarded([&] {
    api::need(tokenizer, "tokenizer");
    if (n_ids) api::need(ids, "ids");
    api::need(text, "text");
    const std::string found = tokenizer->tokenizer->decode({ids, n_ids}, keep_special == 0);
    *text = api::copy_text(found);
    if (length) *length = found.size();
  });
}

phial_error* phial_tokenizer_render_chat(const phial_tokenizer* tokenizer,
                                         const char* messages_json, int add_generation_prompt,
                                         char** text, size_t* length) {
  return api::guarded([&] {
    api::need(tokenizer, "tokenizer");
    api::need(text, "text");
    const std::string found = tokenizer->chat_template()->render(
        parse_messages(messages_json), add_generation_prompt != 0,
        template_variables(tokenizer->files));
    *text = api::copy_text(found);
    if (length) *length = found.size();
  });
}

phial_error* phial_tokenizer_encode_chat(const phial_tokenizer* tokenizer,
                                         const char* messages_json, int add_generation_prompt,
                                         int32_t** ids, size_t* n_ids) {
  return api::guarded([&] {
    api::need(tokenizer, "tokenizer");
    api::need(ids, "ids");
    api::need(n_ids, "n_ids");
    const std::vector<int32_t> found =
        phial::chat_prompt_ids(*tokenizer->chat_template(), tokenizer->files, *tokenizer->tokenizer,
                               parse_messages(messages_json), add_generation_prompt != 0);
    *ids = api::copy_ids(found);
    *n_ids = found.size();
  });
}

int32_t phial_tokenizer_vocab_size(const phial_tokenizer* tokenizer) {
  return tokenizer ? tokenizer->tokenizer->vocab_size() : 0;
}

}  // extern "C"
