// SPDX-License-Identifier: Apache-2.0
// phial quantize SRC DST: a Hugging Face folder to a package.
#include <fmt/format.h>

#include <chrono>
#include <filesystem>
#include <memory>

#include "cli.h"
#include "terminal.h"

namespace cli {

namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

// One line on a terminal that is written again and again; nothing anywhere else.
class ProgressBar {
 public:
  explicit ProgressBar(Clock::time_point start) : shown_(stderr_is_terminal()), start_(start) {}
  ~ProgressBar() { clear(); }

  void show(uint64_t done, uint64_t total) {
    const double now = seconds_since(start_);
    if (!shown_ || total == 0 || now - last_ < 0.1) return;
    last_ = now;
    constexpr int kWidth = 30;
    const double share = std::min(1.0, static_cast<double>(done) / static_cast<double>(total));
    const double rate = static_cast<double>(done) / std::max(now, 1e-3);
    const double left = rate > 0 ? static_cast<double>(total - std::min(done, total)) / rate : 0;
    const int filled = static_cast<int>(share * kWidth);
    write_err(fmt::format("\r\033[K[{:#>{}}{:->{}}] {:3.0f}%  {} of {}  {}/s  {} left", "", filled,
                          "", kWidth - filled, share * 100, human_bytes(static_cast<double>(done)),
                          human_bytes(static_cast<double>(total)), human_bytes(rate),
                          human_seconds(left)));
    drawn_ = true;
  }
  void clear() {
    if (drawn_) write_err("\r\033[K");
    drawn_ = false;
  }

 private:
  bool shown_, drawn_ = false;
  Clock::time_point start_;
  double last_ = -1;
};

uint64_t folder_bytes(const std::string& folder) {
  uint64_t sum = 0;
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator(folder, ignored)) {
    if (entry.is_regular_file(ignored)) sum += entry.file_size(ignored);
  }
  return sum;
}

struct QuantizeOptions {
  std::string source, destination;
  phial::QuantizeOptions recipe;
  bool quiet = false;
};

int quantize(const QuantizeOptions& options) {
  const CatchInterrupt interrupt(false);
  const auto start = Clock::now();
  uint64_t source_bytes = 0;
  {
    ProgressBar bar(start);
    phial::quantize(
        options.source, options.destination, options.recipe,
        [&](uint64_t done, uint64_t total, std::string_view) {
          source_bytes = total;
          bar.show(done, total);
        },
        &CatchInterrupt::seen);
  }
  const double seconds = seconds_since(start);
  if (!options.quiet) {
    const auto read = static_cast<double>(source_bytes);
    write_err(fmt::format("{}: {} from {} in {}, {}/s, peak memory {}\n", options.destination,
                          human_bytes(static_cast<double>(folder_bytes(options.destination))),
                          human_bytes(read), human_seconds(seconds),
                          human_bytes(seconds > 0 ? read / seconds : 0),
                          human_bytes(static_cast<double>(phial::peak_rss_bytes()))));
  }
  return 0;
}

}  // namespace

void add_quantize(CommandLine& line) {
  auto options = std::make_shared<QuantizeOptions>();
  Verb verb = line.add("quantize",
                       "Make a package of a Hugging Face model: by default int4, symmetric, groups "
                       "of 128, all of it (ratio 1)");
  verb.alias("quantize");
  verb.argument("SRC", options->source, "Folder of the Hugging Face model");
  verb.argument("DST", options->destination, "Folder to make");
  add_recipe_flags(verb, options->recipe);
  verb.option("-t,--threads", options->recipe.threads, "Threads; 0: all that there are",
              "PHIAL_THREADS");
  verb.flag("--overwrite", options->recipe.overwrite, "Replace DST if it is there");
  verb.flag("-q,--quiet", options->quiet, "No closing line");
  verb.action([options] { return quantize(*options); });
}

}  // namespace cli
