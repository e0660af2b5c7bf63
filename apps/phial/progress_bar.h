// SPDX-License-Identifier: Apache-2.0
// One line on a terminal that is written again and again; nothing anywhere else.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace cli {

class ProgressBar {
 public:
  ProgressBar();
  ~ProgressBar() { clear(); }
  ProgressBar(const ProgressBar&) = delete;
  ProgressBar& operator=(const ProgressBar&) = delete;

  // Bytes. What was done at the first call doesn't count for the rate.
  void show(uint64_t done, uint64_t total, const std::string& what = {});
  void clear();    // the line
  void restart();  // other work: its own rate

 private:
  using Clock = std::chrono::steady_clock;

  bool shown_, drawn_ = false, begun_ = false;
  Clock::time_point start_;
  uint64_t first_ = 0;
  double last_ = -1;
};

}  // namespace cli
