// SPDX-License-Identifier: Apache-2.0
// The answers of `phial batch --ray`: `python3 -m phial.ray` makes them on a cluster, in lines of
// JSON. Ray knows nothing of the job's files, so they are those of a job without it.
#pragma once

#include <deque>
#include <optional>

#include "batch_request.h"
#include "child_process.h"

namespace cli {

class RayAnswers {
 public:
  // Starts nothing before the first line that has to be answered. Both outlive it.
  RayAnswers(BatchJob& job, const BatchOptions& options) : job_(job), options_(options) {}

  // In order. Nothing: the end, or Ctrl-C. Throws Failure.
  std::optional<BatchAnswer> next();

 private:
  struct Asked {
    BatchAnswer answer;
    bool is_there = false;  // a line that can't be understood needs no cluster
  };
  void start();
  void ask();
  Asked asked_of(const BatchLine& line);
  std::optional<Json> read_answer();
  [[noreturn]] void fail(const std::string& why);

  BatchJob& job_;
  const BatchOptions& options_;
  std::optional<ChildProcess> python_;
  std::deque<Asked> asked_;
  bool all_asked_ = false;
};

}  // namespace cli
