// SPDX-License-Identifier: Apache-2.0
// phial detokenize MODEL: token ids on standard input to text, exactly.
#include "cli.h"
#include "ids.h"
#include "terminal.h"

namespace cli {

void add_detokenize(CommandLine& line) {
  auto model = std::make_shared<std::string>();
  auto keep_special = std::make_shared<bool>(false);
  Verb verb = line.add("detokenize", "Token ids on standard input (a JSON array) to text");
  verb.argument("MODEL", *model,
                "Name or folder of the model, or folder of its tokenizer files alone");
  verb.flag("--keep-special", *keep_special, "Show special tokens");
  verb.action([=] {
    const phial::Tokenizer tokenizer(phial::find_model(*model));
    write_out(tokenizer.decode(parse_ids(read_all_stdin(), "standard input"), *keep_special));
    return 0;
  });
}

}  // namespace cli
