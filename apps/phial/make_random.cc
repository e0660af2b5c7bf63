// SPDX-License-Identifier: Apache-2.0
// phial make-random SHAPE DST: a Hugging Face folder with random weights, for tests and benchmarks.
#include <fmt/format.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <sstream>

#include "cli.h"

namespace cli {

namespace {

struct MakeRandomOptions {
  std::string shape, destination, tokenizer, dtype = "bf16";
  int32_t layers = 0;
  uint64_t seed = 1;
};

// A family member's name, or a config.json.
std::string shape_of(const std::string& given) {
  if (!given.ends_with(".json")) return given;
  std::ifstream file(std::filesystem::path(given), std::ios::binary);
  std::stringstream text;
  if (!file || !(text << file.rdbuf())) throw Failure(fmt::format("SHAPE: can't read '{}'", given));
  std::string config = text.str();
  config.erase(0, std::min(config.find_first_not_of(" \t\r\n"), config.size()));
  if (config.empty() || config.front() != '{')
    throw Failure(fmt::format("SHAPE: '{}' isn't a JSON object", given));
  return config;
}

}  // namespace

void add_make_random(CommandLine& line) {
  auto options = std::make_shared<MakeRandomOptions>();
  Verb verb = line.add("make-random", "Make a model with random weights");
  verb.argument("SHAPE", options->shape,
                "Name of a family member (phi-3-mini, ...), or a config.json");
  verb.argument("DST", options->destination, "Folder to make");
  verb.option("--layers", options->layers, "Only so many layers; 0: all of the shape");
  verb.option("-s,--seed", options->seed, "The same seed gives the same weights");
  verb.choice("--dtype", options->dtype, {"bf16", "f16", "f32"}, "How weights are stored");
  verb.option("--tokenizer", options->tokenizer, "Folder whose tokenizer files are copied");
  verb.action([options] {
    phial::make_random(shape_of(options->shape), options->destination, options->layers,
                       options->seed, options->dtype, options->tokenizer);
    return 0;
  });
}

}  // namespace cli
