// SPDX-License-Identifier: Apache-2.0
// NPUW: OpenVINO's NPU plugin splits a stateful language model into one of static shape for the
// prompt and one for single tokens (src/plugins/intel_npu/src/plugin/npuw/llm_compiled_model.cpp).
#include "npu.h"

#include <algorithm>
#include <chrono>

#include "accelerator.h"
#include "ov_places.h"

namespace phial::ov {
namespace {

constexpr int32_t kDefaultPrompt = 1024, kDefaultResponse = 128;  // OpenVINO's own

// The oldest drivers for OpenVINO's way with language models. On Linux the number that OpenVINO
// tells is the time of the build in seconds since 1970 (linux-npu-driver,
// umd/level_zero_driver/source/CMakeLists.txt; v1.13.0 was built for OpenVINO 2025.0 on
// 2025-01-31), on Windows the last part of the version (32.0.100.3104).
constexpr uint64_t kOldestLinux = 1738195200, kOldestWindows = 3104, kIsTime = 1000000000;

// Positions that the compiled factors are right for.
int32_t model_length(const Phi3Config& config) {
  return config.longrope ? std::min(config.original_max_positions, config.max_positions)
                         : config.max_positions;
}

}  // namespace

int32_t round_up(int32_t tokens) { return (tokens + kNpuGrain - 1) / kNpuGrain * kNpuGrain; }

int32_t npu_total(const Room& room) { return room.total() - 1; }

Room first_room(const Phi3Config& config, const Settings& settings, int32_t context) {
  const int32_t most = round_up(std::min(context, model_length(config)));
  Room room;
  room.prompt =
      settings.npu_prompt ? round_up(*settings.npu_prompt) : std::min(kDefaultPrompt, most);
  room.response = settings.npu_response ? round_up(*settings.npu_response) : kDefaultResponse;
  if (room.prompt > most)
    throw_error(Code::kInvalidArgument, "--npu-prompt is {}, the model holds {} tokens on the NPU",
                *settings.npu_prompt, std::min(context, model_length(config)));
  return room;
}

Room next_room(const Room& room, int32_t tokens, const Phi3Config& config) {
  Room next = room;
  while (next.prompt < tokens) next.prompt *= 2;
  if (next.prompt == room.prompt) next.prompt *= 2;  // the reply has outgrown it
  next.prompt = std::min(next.prompt, round_up(model_length(config)));
  return next;
}

int32_t npu_context(const Phi3Config& config, const Room& room, int32_t context, bool grows) {
  const int32_t most = std::min(context, model_length(config));
  return grows ? most : std::min(most, npu_total(room));
}

Properties npu_properties(const Target& target, const Settings& settings, const Room& room) {
  Properties properties = {
      {"NPU_USE_NPUW", "YES"},
      {"NPUW_LLM", "YES"},
      {"NPUW_LLM_BATCH_DIM", "0"},
      {"NPUW_LLM_SEQ_LEN_DIM", "2"},
      {"NPUW_LLM_MAX_PROMPT_LEN", std::to_string(room.prompt)},
      {"NPUW_LLM_MIN_RESPONSE_LEN", std::to_string(room.response)},
  };
  // By itself NPUW would quietly go on with the CPU where the NPU fails.
  properties.emplace_back("NPUW_DEVICES", target.kind == Target::Kind::kNpuwOnCpu ? "CPU" : "NPU");
  if (!settings.npu_prefill_hint.empty())
    properties.emplace_back("NPUW_LLM_PREFILL_HINT", settings.npu_prefill_hint);
  if (!settings.npu_generate_hint.empty())
    properties.emplace_back("NPUW_LLM_GENERATE_HINT", settings.npu_generate_hint);
  if (settings.npu_turbo && target.kind == Target::Kind::kNpu)
    properties.emplace_back("NPU_TURBO", "YES");
  return properties;
}

std::string npu_why_not(const Core& core) {
  const auto available = core.available_devices();
  if (std::any_of(available.begin(), available.end(),
                  [](const std::string& name) { return name.starts_with("NPU"); }))
    return {};
  std::error_code ignored;
  const fs::path libraries = core.api().path.parent_path();
  if (!fs::exists(libraries / kNpuPlugin, ignored))
    return fmt::format("OpenVINO {} was installed without its NPU plugin ({} has no {})",
                       core.api().version, libraries.string(), kNpuPlugin);
  return npu_not_seen(core.api().version);
}

std::string npu_driver_why_not(const std::string& number) {
  if (number.empty() || number.find_first_not_of("0123456789") != std::string::npos ||
      number.size() > 18)
    return {};  // nothing to judge by
  const uint64_t found = std::stoull(number);
  if (found == 0 || found >= (found >= kIsTime ? kOldestLinux : kOldestWindows)) return {};
  if (found < kIsTime)
    return fmt::format(
        "the NPU's driver is too old: found build {}, expected 32.0.100.{} or newer (Windows "
        "Update, or Intel's download page for NPU drivers)",
        found, kOldestWindows);
  const std::chrono::sys_seconds built{std::chrono::seconds(found)};
  const std::chrono::year_month_day day(std::chrono::floor<std::chrono::days>(built));
  return fmt::format(
      "the NPU's driver is too old: found one built on {:04}-{:02}-{:02}, expected 1.13.0 (January "
      "2025) or newer ({})",
      static_cast<int>(day.year()), static_cast<unsigned>(day.month()),
      static_cast<unsigned>(day.day()), kDriverPage);
}

std::string explain_npu_failure(const std::string& message) {
  if (message.find("intel_npu_compiler") != std::string::npos ||
      message.find("compiler loading failed") != std::string::npos)
    return fmt::format(
        "this OpenVINO carries no NPU compiler; use the driver's with --ov-config "
        "NPU_COMPILER_TYPE=DRIVER, which needs Intel's NPU driver with its compiler "
        "({}): {}",
        kDriverPage, message);
  if (message.find("Could not find an NPU device") != std::string::npos)
    return fmt::format("there is no NPU, and the driver's compiler works with one only: {}",
                       message);
  return message;
}

}  // namespace phial::ov
