// SPDX-License-Identifier: Apache-2.0
// The files of `phial batch`: which lines ask for something, and which are answered already. Knows
// no model.
#pragma once

#include <cstdint>
#include <fstream>
#include <optional>
#include <string>

#include "batch_file.h"
#include "statistics.h"

namespace cli {

// One line of the input that isn't blank.
struct BatchLine {
  uint64_t index = 0;   // among the lines that aren't blank, from 0
  uint64_t number = 0;  // of the line in its file, from 1
  uint64_t end = 0;     // bytes of the file up to here
  std::string text;
  std::string key;  // of the text and the job's settings: tells whether an answer is to this
};

// Answers come in the order of the lines, one line each, and only whole ones count: so the number
// of answers says where a job that was killed goes on.
class BatchJob {
 public:
  // `settings`: whatever changes answers. Reads the answers that are there, checks that they are to
  // these lines with these settings, and cuts off a last one that isn't whole. Throws Failure.
  BatchJob(const std::string& input, const std::string& output, const std::string& settings,
           bool overwrite);

  std::optional<BatchLine> next();
  // `answer` gets "index" and "input" in front.
  void write(const BatchLine& line, Json answer);
  void finish() { output_.to_disk(); }

  uint64_t were_there() const { return were_there_; }
  uint64_t input_bytes() const { return input_bytes_; }

 private:
  void take_answers();

  std::string input_path_, output_path_, settings_;
  std::ifstream input_;
  LineFile output_;
  uint64_t input_bytes_ = 0, bytes_read_ = 0, lines_ = 0, next_index_ = 0, were_there_ = 0;
};

}  // namespace cli
