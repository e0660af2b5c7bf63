// SPDX-License-Identifier: Apache-2.0
// The limits are those of kernels/roofline, over 256 MiB, which is more than the caches hold. Our
// engine: one layer of phi-3-mini's shape with random int4 weights and the int8 lm_head, 256 MB
// together.
#include "api/roofline.h"

#include <algorithm>
#include <chrono>
#include <ctime>
#include <span>
#include <vector>

#include "api/measured.h"
#include "base/cpu_info.h"
#include "base/error.h"
#include "base/thread_pool.h"
#include "base/write_beside.h"
#include "kernels/dispatch.h"
#include "kernels/roofline.h"
#include "native/native_backend.h"
#include "package/package.h"

namespace phial::api {
namespace {

constexpr size_t kReadBytes = size_t{256} << 20;
constexpr int kDecodeSteps = 12, kPromptRuns = 3;
constexpr int32_t kPromptTokens = 128;
constexpr uint64_t kFileLimit = 1 << 20;
constexpr double kMostRate = 1e18;  // bytes or operations a second; more is a damaged file

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

fs::path file_of_user() {
  const fs::path folder = user_cache();
  return folder.empty() ? folder : folder / "roofline.json";
}

// What the figures hold for.
Json conditions() {
  return {{"phial", PHIAL_VERSION},
          {"cpu", cpu_name()},
          {"threads", available_threads()},
          {"tier", kernels::best().name}};
}

void measure_limits(Roofline& roofline) {
  const std::vector<std::byte> data(kReadBytes, std::byte{1});
  const std::span<const std::byte> all(data);
  ThreadPool pool(0, ThreadPool::Places::kOneEach);
  const kernels::Roofline limits = kernels::measure_roofline(pool, kernels::best(), {&all, 1});
  roofline.read_rate = limits.read_bytes_per_second;
  roofline.int8_rate = limits.int8_ops_per_second;
}

uint64_t bytes_of(const Phi3Layer& layer) {
  return layer.qkv.total_bytes() + layer.o.total_bytes() + layer.gate_up.total_bytes() +
         layer.down.total_bytes();
}

double operations_of(const Phi3Config& config) {
  const double hidden = config.hidden_size;
  return 2 * (hidden * (config.q_rows() + 2 * config.kv_rows()) + config.q_rows() * hidden +
              3 * hidden * config.intermediate_size);
}

void measure_engine(Roofline& roofline) {
  const auto package = Package::synthetic("phi-3-mini", QuantRecipe{}, 1);
  SessionOptions options;
  options.context = 2 * kPromptTokens;
  const auto session = make_native_backend()->open(package, "cpu", options);
  std::vector<float> logits(static_cast<size_t>(package->config().vocab_size));
  std::vector<TokenId> prompt(static_cast<size_t>(kPromptTokens), 1);
  double prompt_seconds = 1e9, step_seconds = 1e9;
  const auto run = [&](std::span<const TokenId> tokens, float* out) {
    Step step;
    step.tokens = tokens;
    step.logits = out;
    const auto start = Clock::now();
    session->step({&step, 1});
    return seconds_since(start);
  };
  for (int i = 0; i < kPromptRuns; ++i) {
    session->truncate(0, 0);
    prompt_seconds = std::min(prompt_seconds, run(prompt, nullptr));
  }
  for (int i = 0; i < kDecodeSteps; ++i)
    step_seconds = std::min(step_seconds, run(std::span(prompt).first(1), logits.data()));
  const double bytes = static_cast<double>(bytes_of(package->weights().layers.front()) +
                                           package->weights().lm_head.total_bytes());
  roofline.decode_rate = bytes / step_seconds;
  roofline.prompt_rate = operations_of(package->config()) * kPromptTokens / prompt_seconds;
}

}  // namespace

std::optional<Roofline> known_roofline() {
  try {
    std::string text;
    const fs::path file = file_of_user();
    if (file.empty() || !read_file_if_there(file, text, kFileLimit)) return std::nullopt;
    const Json json = parse_json(text, file.string());
    const JsonView view(json, file.string());
    if (view.at("of") != conditions()) return std::nullopt;
    const auto rate = [&](const char* key) {
      const double found = view.number(key);
      if (!(found > 0 && found < kMostRate)) throw_error(Code::kCorrupt, "{}: {}", key, found);
      return found;
    };
    return Roofline{rate("read_rate"), rate("int8_rate"), rate("decode_rate"), rate("prompt_rate"),
                    view.integer("when", 0, INT64_MAX)};
  } catch (const Error&) {  // damaged, or no kernels can run
    return std::nullopt;
  }
}

Roofline measure_roofline() {
  Roofline roofline;
  measure_limits(roofline);
  measure_engine(roofline);
  roofline.when = static_cast<int64_t>(std::time(nullptr));
  try {
    const fs::path file = file_of_user();
    std::error_code ignored;
    if (!file.empty()) {
      fs::create_directories(file.parent_path(), ignored);
      Json json = to_json(roofline);
      json["of"] = conditions();
      write_file_atomically(file, json.dump(1));
    }
  } catch (const Error&) {  // it will be measured again
  }
  return roofline;
}

Json to_json(const std::optional<Roofline>& roofline) {
  if (!roofline) return {};
  return {{"read_rate", roofline->read_rate},
          {"int8_rate", roofline->int8_rate},
          {"decode_rate", roofline->decode_rate},
          {"prompt_rate", roofline->prompt_rate},
          {"when", roofline->when}};
}

}  // namespace phial::api
