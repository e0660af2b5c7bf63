// SPDX-License-Identifier: Apache-2.0
// Streams an answer to standard output: stream MODEL "PROMPT"
#include <iostream>
#include <phial/phial.hpp>

int main(int argc, char** argv) {
  if (argc != 3) {
    std::cerr << "usage: stream MODEL PROMPT\n";
    return 2;
  }
  try {
    phial::Model model(argv[1]);
    phial::Chat chat(model);
    chat.add("user", argv[2]);

    phial::GenerateParams params;
    params.max_new_tokens = 200;
    const phial::Result result = chat.reply(params, [](std::string_view piece) {
      std::cout << piece << std::flush;
      return true;  // go on
    });

    std::cout << '\n';
    std::cerr << result.stats.generated_tokens << " tokens, ended by " << result.finish_reason
              << '\n';
  } catch (const phial::Exception& e) {
    std::cerr << "stream: " << e.what() << '\n';
    return 1;
  }
}
