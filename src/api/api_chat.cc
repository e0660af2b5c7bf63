// SPDX-License-Identifier: Apache-2.0
// The chat handle: a Conversation that can lose its sequence to another one and begin again from
// its messages.
#include "api/handles.h"

using phial::Code;
using phial::Json;
namespace api = phial::api;

struct phial_chat : phial::SequenceOwner {
  explicit phial_chat(phial_model& model)
      : model(model), tokenizer(model.need_tokenizer()), chat_template(tokenizer.chat_template()) {}
  ~phial_chat() override {
    const std::lock_guard lock(model.mutex);
    conversation.reset();
    model.sequences.release(*model.session, *this);
  }

  bool can_lose_it() const override { return true; }
  void lost_it() override {
    parked = conversation->messages();
    conversation.reset();
  }

  // With the model's lock held.
  phial::Conversation& active() {
    model.sequences.acquire(*model.session, *this);
    if (!conversation) {
      auto made = std::make_unique<phial::Conversation>(*model.session, seq, tokenizer.tokenizer,
                                                        chat_template, tokenizer.files);
      if (!parked.empty()) made->set_messages(parked);
      conversation = std::move(made);
    }
    return *conversation;
  }
  const Json& messages() const { return conversation ? conversation->messages() : parked; }

  phial_model& model;
  const phial_tokenizer& tokenizer;
  std::shared_ptr<const phial::ChatTemplate> chat_template;
  std::unique_ptr<phial::Conversation> conversation;  // null: no sequence
  Json parked = Json::array();                        // the messages, while conversation is null
};

extern "C" {

phial_error* phial_chat_new(phial_model* model, phial_chat** chat) {
  return api::guarded([&] {
    api::need(model, "model");
    api::need(chat, "chat");
    *chat = new phial_chat(*model);
  });
}

void phial_chat_free(phial_chat* chat) { delete chat; }

phial_error* phial_chat_add(phial_chat* chat, const char* role, const char* content,
                            size_t length) {
  return api::guarded([&] {
    api::need(chat, "chat");
    api::need(role, "role");
    if (length) api::need(content, "content");
    const std::lock_guard lock(chat->model.mutex);
    chat->active().add(role, std::string(content ? content : "", length));
  });
}

phial_error* phial_chat_set_messages(phial_chat* chat, const char* messages_json) {
  return api::guarded([&] {
    api::need(chat, "chat");
    api::need(messages_json, "messages_json");
    Json messages = phial::parse_json(messages_json, "messages");
    const std::lock_guard lock(chat->model.mutex);
    chat->active().set_messages(std::move(messages));
  });
}

phial_error* phial_chat_messages(const phial_chat* chat, char** messages_json) {
  return api::guarded([&] {
    api::need(chat, "chat");
    api::need(messages_json, "messages_json");
    const std::lock_guard lock(chat->model.mutex);
    *messages_json =
        api::copy_text(chat->messages().dump(-1, ' ', false, Json::error_handler_t::replace));
  });
}

phial_error* phial_chat_clear(phial_chat* chat) {
  return api::guarded([&] {
    api::need(chat, "chat");
    const std::lock_guard lock(chat->model.mutex);
    chat->active().clear();
  });
}

phial_error* phial_chat_reply(phial_chat* chat, const phial_generate_params* params,
                              phial_text_callback on_text, phial_interrupt interrupt, void* user,
                              phial_result** result) {
  return api::guarded([&] {
    api::need(chat, "chat");
    api::need(result, "result");
    const phial::GenerateParams asked = api::to_params(params, chat->tokenizer);
    const api::Call call(chat->model, on_text, interrupt, user);
    *result = call.make_result(chat->active().reply(asked, call.on_text(), call.interrupt()));
  });
}

}  // extern "C"
