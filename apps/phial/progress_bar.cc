// SPDX-License-Identifier: Apache-2.0
#include "progress_bar.h"

#include <fmt/format.h>

#include <algorithm>

#include "terminal.h"

namespace cli {

ProgressBar::ProgressBar() : shown_(stderr_is_terminal()), start_(Clock::now()) {}

void ProgressBar::show(uint64_t done, uint64_t total, const std::string& what) {
  if (!begun_) {
    begun_ = true;
    first_ = done;
    start_ = Clock::now();
    last_ = -1;
  }
  const double now = std::chrono::duration<double>(Clock::now() - start_).count();
  if (!shown_ || total == 0 || now - last_ < 0.1) return;
  last_ = now;
  constexpr int kWidth = 30;
  const double share = std::min(1.0, static_cast<double>(done) / static_cast<double>(total));
  const int filled = static_cast<int>(share * kWidth);
  std::string line =
      fmt::format("{}{}[{:#>{}}{:->{}}] {:3.0f}%  {} of {}", what, what.empty() ? "" : "  ", "",
                  filled, "", kWidth - filled, share * 100, human_bytes(static_cast<double>(done)),
                  human_bytes(static_cast<double>(total)));
  const double rate = static_cast<double>(done - std::min(done, first_)) / std::max(now, 1e-3);
  if (now > 0.3 && rate > 0)  // before that they would jump about
    line += fmt::format("  {}/s  {} left", human_bytes(rate),
                        human_seconds(static_cast<double>(total - std::min(done, total)) / rate));
  write_err("\r\033[K" + line);
  drawn_ = true;
}

void ProgressBar::clear() {
  if (drawn_) write_err("\r\033[K");
  drawn_ = false;
}

void ProgressBar::restart() {
  clear();
  begun_ = false;
}

}  // namespace cli
