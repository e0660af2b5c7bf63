// SPDX-License-Identifier: Apache-2.0
// What a line of `phial batch` asks for, and the flags that lines fall back on. Answers nothing.
#pragma once

#include <optional>
#include <phial/phial.hpp>
#include <string>

#include "batch_job.h"
#include "statistics.h"

namespace cli {

struct BatchOptions {
  std::string input, output, model, system;
  phial::ModelOptions model_options;
  phial::GenerateParams params;
  bool raw = false, overwrite = false, offline = false, quiet = false;
  std::string ray;                       // a cluster's address; empty: this computer
  int32_t ray_actors = 0, ray_cpus = 0;  // 0: what the nodes have
};

// A prompt to be continued as it is, or the messages of a chat as JSON.
struct BatchRequest {
  std::optional<std::string> prompt;
  Json messages;
  phial::GenerateParams params;
};

// One line of the output without its index: nothing of it says who answered.
struct BatchAnswer {
  BatchLine line;
  Json record;
};

// What changes an answer of a model: speculation doesn't, and isn't in it.
Json json_of(const phial::GenerateParams& params);

// Everything that changes an answer; where it is made isn't, as far as answers are compared.
std::string settings_of(const BatchOptions& options);

// A text alone is a prompt. Throws Failure.
Json parse_line(const BatchLine& line);

// Throws Json::exception: a parameter of another type.
BatchRequest request_of(const Json& line, const BatchOptions& options);

// "line 4: ..." for what request_of throws.
std::string sentence_of(const BatchLine& line, const Json::exception& error);

}  // namespace cli
