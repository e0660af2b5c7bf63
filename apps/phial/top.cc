// SPDX-License-Identifier: Apache-2.0
// phial top: a task manager for a terminal. Samples come at an interval until Ctrl-C, or so many.
#include <fmt/format.h>

#include <chrono>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <thread>

#include "cli.h"
#include "plot_file.h"
#include "statistics.h"
#include "terminal.h"
#include "top_screen.h"

namespace cli {

namespace {

struct TopOptions {
  double interval = 1;
  int32_t count = -1;  // -1: one, or on a terminal until Ctrl-C
  bool json = false;
  std::string record;
  std::vector<std::string> plots;
};

constexpr double kShortestInterval = 0.1;

// False: Ctrl-C.
bool wait(double seconds) {
  using Clock = std::chrono::steady_clock;
  const auto end = Clock::now() + std::chrono::duration_cast<Clock::duration>(
                                      std::chrono::duration<double>(seconds));
  while (!CatchInterrupt::seen() && Clock::now() < end)
    std::this_thread::sleep_for(
        std::min<Clock::duration>(std::chrono::milliseconds(50), end - Clock::now()));
  return !CatchInterrupt::seen();
}

// The terminal's other screen while one lives, so that what was there comes back.
class Screen {
 public:
  explicit Screen(bool used) : used_(used) {
    if (used_) write_out("\x1b[?1049h\x1b[?25l");
  }
  ~Screen() {
    if (used_) write_err("\x1b[?25h\x1b[?1049l");
  }
  Screen(const Screen&) = delete;
  Screen& operator=(const Screen&) = delete;

  void show(const std::string& text) const {
    if (!used_) return write_out(text + "\n");
    std::string frame = "\x1b[H";  // line by line over the last one: nothing flickers
    for (const char c : text) frame += c == '\n' ? std::string("\x1b[K\n") : std::string(1, c);
    write_out(frame + "\x1b[J");
  }

 private:
  const bool used_;
};

int top(const TopOptions& options) {
  if (options.interval < 0)
    throw Failure("--interval must be at least 0 (see phial top --help)", kExitUsage);
  check_plot_names(options.plots);
  const bool on_screen = stdout_is_terminal() && !options.json;
  const int32_t count = options.count >= 0 ? options.count : on_screen ? 0 : 1;
  // Another machine's files have their own time.
  const char* elsewhere = std::getenv("PHIAL_MACHINE_ROOT");
  const bool waits = !elsewhere || !*elsewhere;
  const double interval = waits ? std::max(options.interval, kShortestInterval) : 0;
  std::ofstream record;
  if (!options.record.empty()) {
    record.open(options.record, std::ios::binary | std::ios::trunc);
    if (!record) throw Failure(fmt::format("{}: can't be written", options.record));
  }
  phial::Sampler sampler;
  // What the first one is compared with.
  const std::string cpu = Json::parse(sampler.take_json()).value("cpu", "");
  std::vector<Json> samples;
  {
    const CatchInterrupt interrupt(true);
    const Screen screen(on_screen);
    for (int32_t i = 0; (count == 0 || i < count) && wait(interval); ++i) {
      const Json sample = Json::parse(sampler.take_json());
      if (record.is_open()) record << sample.dump() << '\n' << std::flush;
      if (options.json)
        write_out(sample.dump() + "\n");
      else
        screen.show(top_screen(sample, "phial top: " + cpu, terminal_width()));
      if (!options.plots.empty()) samples.push_back(sample);
    }
  }
  if (record.is_open() && !record.flush())
    throw Failure(fmt::format("{}: can't be written", options.record));
  if (!options.plots.empty() && !samples.empty()) {
    write_plots(options.plots, top_plot(samples, cpu));
  }
  return 0;
}

}  // namespace

void add_top(CommandLine& line) {
  auto options = std::make_shared<TopOptions>();
  Verb verb = line.add("top", "How busy this computer's CPU, GPU and NPU are, and phial on them");
  verb.option("--interval", options->interval, "Seconds between two samples");
  verb.option("-n,--count", options->count,
              "Samples to take; 0: until Ctrl-C; by default that on a terminal, else 1");
  verb.flag("--json", options->json, "A JSON object for each sample, a line each");
  verb.option("--record", options->record, "Write the samples into this file, as --json has them");
  verb.texts("--plot", options->plots, "At the end, draw them into this SVG or PNG file");
  verb.action([options] { return top(*options); });
}

}  // namespace cli
