// SPDX-License-Identifier: Apache-2.0
// A tokenizer.json from outside, and a text for it: what comes before the first 0xFF byte (which
// JSON can't have) is the file, the rest is the text. Checks that encoding ends, that every id
// decodes, and that streaming says the same.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/error.h"
#include "base/utf8.h"
#include "text/tokenizer.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const size_t end = input.find('\xFF');
  const std::string_view json = input.substr(0, end);
  const std::string_view text =
      end == std::string_view::npos ? "the <s> engine\n" : input.substr(end + 1);
  try {
    const auto tokenizer = phial::Tokenizer::parse(json, "fuzz");
    for (const bool special : {true, false}) {
      const auto ids = tokenizer->encode(text, special);
      const std::string decoded = tokenizer->decode(ids, special);
      phial::StreamDecoder stream(tokenizer, special);
      std::string joined;
      for (const phial::TokenId id : ids) joined += stream.push(id);
      joined += stream.finish();
      PHIAL_ASSERT(joined == decoded);
      PHIAL_ASSERT(phial::utf8_first_invalid(joined) == std::string::npos);
    }
  } catch (const phial::Error& error) {
    if (error.code() == phial::Code::kInternal) __builtin_trap();
  }
  return 0;
}
