// SPDX-License-Identifier: Apache-2.0
// The tokenizer behind pipes, for tools/oracle/tokenizer_diff.py: `tokenizer_probe FOLDER` answers
// each line of JSON on stdin with a line on stdout. {"text", "parse_special"} -> ids; {"ids",
// "skip_special"} -> [decoded, streamed pieces...].
#include <chrono>
#include <iostream>

#include "base/error.h"
#include "base/json.h"
#include "text/tokenizer.h"

namespace phial {
namespace {

std::string answer(const std::shared_ptr<const Tokenizer>& tokenizer, const Json& question) {
  if (question.contains("text"))
    return Json(tokenizer->encode(question["text"].get<std::string>(),
                                  question["parse_special"].get<bool>()))
        .dump();
  const auto ids = question["ids"].get<std::vector<TokenId>>();
  const bool skip = question["skip_special"].get<bool>();
  Json out = Json::array({tokenizer->decode(ids, skip)});
  StreamDecoder stream(tokenizer, skip);
  for (const TokenId id : ids) out.push_back(stream.push(id));
  out.push_back(stream.finish());
  return out.dump();
}

int run(const char* folder) {
  const auto start = std::chrono::steady_clock::now();
  const auto tokenizer = Tokenizer::open(folder);
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
  std::cerr << "loaded in " << seconds.count() << " s\n";
  for (std::string line; std::getline(std::cin, line);)
    std::cout << answer(tokenizer, parse_json(line, "stdin")) << "\n" << std::flush;
  return 0;
}

}  // namespace
}  // namespace phial

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  try {
    return phial::run(argv[1]);
  } catch (const std::exception& e) {
    std::cerr << "tokenizer_probe: " << e.what() << "\n";
    return 1;
  }
}
