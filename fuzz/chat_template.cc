// SPDX-License-Identifier: Apache-2.0
// Any bytes as a chat template, rendered with one conversation: an Error or a text, never a crash,
// a hang or all memory.
#include "chat/chat_template.h"

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/error.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const phial::Json messages = phial::Json::parse(
      R"([{"role": "system", "content": "Be kind."}, {"role": "user", "content": "Grüße\n"},
          {"role": "assistant", "content": "", "tool_calls": [{"name": "f", "arguments": {"a": [1, 2.5, null, true]}}]},
          {"role": "user", "content": "bye"}])");
  static const phial::Json variables = {{"bos_token", "<s>"}, {"eos_token", "</s>"}, {"x", 3}};
  try {
    const phial::ChatTemplate chat_template(
        std::string_view(reinterpret_cast<const char*>(data), size));
    chat_template.render(messages, true, variables);
  } catch (const phial::Error&) {
  }
  return 0;
}
