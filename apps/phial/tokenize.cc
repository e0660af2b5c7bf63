// SPDX-License-Identifier: Apache-2.0
// phial tokenize MODEL: text on standard input to a JSON array of token ids.
#include "cli.h"
#include "statistics.h"
#include "terminal.h"

namespace cli {

namespace {

int tokenize(const std::string& model, bool as_chat) {
  const phial::Tokenizer tokenizer(phial::find_model(model));
  const std::string text = read_all_stdin();
  std::vector<int32_t> ids;
  if (as_chat) {
    Json messages = Json::array();
    messages.push_back({{"role", "user"}, {"content", text}});
    ids = tokenizer.encode_chat(messages.dump(-1, ' ', false, Json::error_handler_t::replace));
  } else {
    ids = tokenizer.encode(text);
  }
  write_out(dump(Json(ids), -1));
  return 0;
}

}  // namespace

void add_tokenize(CommandLine& line) {
  auto model = std::make_shared<std::string>();
  auto as_chat = std::make_shared<bool>(false);
  Verb verb = line.add("tokenize", "Text on standard input to token ids");
  verb.argument("MODEL", *model,
                "Name or folder of the model, or folder of its tokenizer files alone");
  verb.flag("--chat", *as_chat, "The text is a user's message: put it through the chat template");
  verb.action([=] { return tokenize(*model, *as_chat); });
}

}  // namespace cli
