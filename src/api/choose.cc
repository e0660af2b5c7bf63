// SPDX-License-Identifier: Apache-2.0
#include "api/choose.h"

#include <algorithm>
#include <cstdlib>

#include "api/units.h"
#include "backend/plugin_host.h"
#include "base/cpu_info.h"
#include "base/error.h"
#include "kernels/dispatch.h"
#include "native/kv_cache.h"
#include "native/native_backend.h"

namespace phial::api {
namespace {

// What OpenVINO compiles a model for the NPU for, unless told otherwise (plugins/openvino/npu.cc).
constexpr int32_t kNpuPrompt = 1024;
// As native_session.cc has it.
constexpr int32_t kNativeChunk = 512;
constexpr uint64_t kThreadScratch = 1u << 20;

// A device that the user names needn't be in any list, which would say its kind.
std::string kind_of_name(const std::string& device) {
  const auto has = [&](const char* part) { return device.find(part) != std::string::npos; };
  if (has("npuw-on-cpu")) return "cpu";
  return has("NPU") ? "npu" : has("GPU") || has(":dml") || has(":cuda") ? "gpu" : "cpu";
}

// Of phial's own engine. A PHIAL_ISA or a type that doesn't exist is an error of whoever runs the
// model, not of what it would need.
kernels::KvType kv_type(const Package& package, std::string_view wanted) {
  try {
    return choose_kv_type(package.config(), package.weights(), kernels::best(), wanted);
  } catch (const Error&) {
    return kernels::KvType::kF16;
  }
}

int32_t npu_prompt(const SessionOptions& options) {
  constexpr std::string_view kKey = "npu-prompt=";
  int32_t prompt = kNpuPrompt;
  for (const std::string& setting : options.settings)
    if (setting.starts_with(kKey))
      prompt = static_cast<int32_t>(std::strtol(setting.c_str() + kKey.size(), nullptr, 10));
  return std::max(prompt, 1);
}

}  // namespace

Backends make_backends(std::string_view device, const std::vector<std::string>& settings) {
  Backends backends;
  backends.push_back(make_native_backend());
  for (auto& plugin : open_plugins_for(device, settings)) backends.push_back(std::move(plugin));
  return backends;
}

MemoryNeed memory_need(const Package& package, int32_t tokens, const phial_model_options& options) {
  const Phi3Config& config = package.config();
  const std::string_view kv_cache = options.kv_cache ? options.kv_cache : "";
  MemoryNeed need;
  need.weights = package.weight_bytes();
  need.tokens = std::min(tokens, config.max_positions);
  need.cache_per_token = kv_bytes_per_token(config, kv_type(package, kv_cache));
  need.cache = need.cache_per_token * static_cast<uint64_t>(need.tokens);
  // Per token of a pass: residual, branch, queries with keys and values, attended, activated, and
  // the widest input packed again for its kernel.
  const int32_t chunk = std::min(options.prefill_chunk > 0 ? options.prefill_chunk : kNativeChunk,
                                 options.context > 0 ? options.context : config.max_positions);
  const int64_t floats = 2 * int64_t{config.hidden_size} + config.q_rows() + 2 * config.kv_rows() +
                         config.q_rows() + config.intermediate_size + config.rotary_dim +
                         std::max(config.hidden_size, config.intermediate_size);
  const int threads = options.threads > 0 ? options.threads : available_threads();
  need.workspace = static_cast<uint64_t>(chunk * floats) * sizeof(float) +
                   static_cast<uint64_t>(threads) * kThreadScratch;
  return need;
}

Choosing::Choosing(const Backends& backends, const Package& package,
                   const phial_model_options& options, const SessionOptions& session_options,
                   bool all) {
  facts_.wanted = full_device_name(options.device ? options.device : "auto");
  facts_.require = options.require_device != 0;
  facts_.policy = parse_policy(options.policy ? options.policy : "auto");
  if (options.prompt_tokens < 0)
    throw_error(Code::kInvalidArgument, "prompt_tokens is {}, expected at least 0",
                options.prompt_tokens);
  facts_.prompt_tokens = options.prompt_tokens;
  measurements_ = MeasuredStore::of_user().of(package);
  // The length of a sequence isn't known: the prompt and an answer of middling length.
  need_ = memory_need(
      package, options.context > 0 ? options.context : facts_.prompt_tokens + facts_.answer_tokens,
      options);
  facts_.needed_bytes = need_.total();
  judge(backends, package,
        all || facts_.wanted != "auto" ||
            std::any_of(measurements_.begin(), measurements_.end(),
                        [](const Measurement& m) { return m.device != "cpu"; }));
  gather(npu_prompt(session_options), package, all);
}

void Choosing::add(const Backend& backend, Verdict verdict, const std::string& kind,
                   const std::string& engine) {
  Candidate candidate;
  candidate.verdict = std::move(verdict);
  candidate.verdict.kind = kind;
  for (const Measurement& m : measurements_)
    if (m.device == candidate.verdict.device && m.engine == engine) candidate.measured = m.rates;
  candidates_.push_back(std::move(candidate));
  backends_of_.push_back(&backend);
}

void Choosing::judge(const Backends& backends, const Package& package, bool all) {
  for (const auto& backend : backends) {
    if (facts_.wanted.starts_with(backend->name() + ":")) {  // it need not be in the list
      add(*backend, backend->accepts(package, facts_.wanted), kind_of_name(facts_.wanted), {});
      continue;
    }
    for (const Device& device : all ? backend->devices() : backend->quick_devices()) {
      const Verdict verdict = device.why_not.empty() ? backend->accepts(package, device.id)
                                                     : Verdict{device.id, 0, device.why_not, {}};
      add(*backend, verdict, device.kind, device.description);
    }
  }
}

// What costs time to find out, only where it can matter, or where everything is to be told.
void Choosing::gather(int32_t npu_prompt, const Package& package, bool all) {
  const auto able = std::count_if(candidates_.begin(), candidates_.end(),
                                  [](const Candidate& c) { return c.verdict.rank > 0; });
  if (able < 2 && !all) return;
  const Root root = Root::of_user();
  const Machine machine = read_machine(root);
  facts_.on_battery = machine.power.on_battery;
  for (Candidate& candidate : candidates_) {
    const Verdict& verdict = candidate.verdict;
    if (verdict.kind == "npu")
      candidate.longest_prompt = std::min(npu_prompt, package.config().max_positions);
    if (verdict.kind != "gpu" || verdict.rank <= 0) continue;
    const std::string unit = unit_of(machine, verdict.device, verdict.kind);
    for (const Gpu& gpu : machine.gpus)
      if (gpu.id == unit && gpu.integrated != true)
        candidate.own_memory_bytes = gpu.memory_bytes.value_or(0);
  }
}

Placement Choosing::place() const { return phial::place(candidates_, facts_); }

void Choosing::refuse(size_t candidate, const std::string& reason) {
  candidates_[candidate].verdict.rank = 0;
  candidates_[candidate].verdict.reason = reason;
}

Json to_json(const Choosing& choosing, const Placement& placement) {
  Json refused = Json::array();
  for (size_t i = 0; i < placement.refusals.size(); ++i)
    if (!placement.refusals[i].empty())
      refused.push_back(
          {{"device", choosing.candidates()[i].verdict.device},
           {"why", placement.refusals[i].substr(0, placement.refusals[i].find('\n'))}});
  const PlacementFacts& facts = choosing.facts();
  return {{"wanted", facts.wanted},
          {"policy", policy_name(facts.policy)},
          {"on_battery", facts.on_battery ? Json(*facts.on_battery) : Json()},
          {"prompt_tokens", facts.prompt_tokens},
          {"device", choosing.candidates()[placement.chosen].verdict.device},
          {"why", placement.why},
          {"fallback", placement.fallback.empty() ? Json() : Json(placement.fallback)},
          {"by_measurement", placement.by_measurement},
          {"refused", std::move(refused)}};
}

}  // namespace phial::api
