// SPDX-License-Identifier: Apache-2.0
#include "backend/placement.h"

#include <algorithm>

#include "base/error.h"

namespace phial {
namespace {

constexpr double kGiB = 1u << 30;

// NPU, GPU, CPU.
int kind_order(const Verdict& verdict) {
  return verdict.kind == "npu" ? 0 : verdict.kind == "gpu" ? 1 : 2;
}

std::string people_kind(const Verdict& verdict) {
  return verdict.kind == "npu" ? "NPU" : verdict.kind == "gpu" ? "GPU" : "CPU";
}

bool prompt_fits(const Candidate& candidate, const PlacementFacts& facts) {
  return candidate.longest_prompt == 0 || facts.prompt_tokens <= candidate.longest_prompt;
}

double seconds(const Measured& measured, const PlacementFacts& facts) {
  const double prompt = std::max(facts.prompt_tokens, 1);
  return (measured.prompt_rate > 0 ? prompt / measured.prompt_rate : 0) +
         (measured.answer_rate > 0 ? facts.answer_tokens / measured.answer_rate : 1e9);
}

// Why this candidate can't run it; empty: it can.
std::string refusal(const Candidate& candidate, const PlacementFacts& facts) {
  if (candidate.verdict.rank <= 0)
    return candidate.verdict.reason.empty() ? "it says no without a reason"
                                            : candidate.verdict.reason;
  if (candidate.own_memory_bytes > 0 && facts.needed_bytes > candidate.own_memory_bytes)
    return fmt::format("needs {:.1f} GiB, its own memory has {:.1f} GiB",
                       static_cast<double>(facts.needed_bytes) / kGiB,
                       static_cast<double>(candidate.own_memory_bytes) / kGiB);
  return {};
}

class Order {
 public:
  Order(std::span<const Candidate> candidates, const PlacementFacts& facts)
      : candidates_(candidates), facts_(facts) {
    efficient_ = facts.policy == Policy::kEfficient ||
                 (facts.policy == Policy::kAuto && facts.on_battery.value_or(false));
  }

  bool efficient() const { return efficient_; }
  bool by_measurement() const { return by_measurement_; }

  // Best first. What was measured counts only if all that could be first without it were: a device
  // that is new isn't held back by what others did.
  std::vector<size_t> sort(std::vector<size_t> able) {
    std::stable_sort(able.begin(), able.end(), [&](size_t a, size_t b) { return by_rule(a, b); });
    if (efficient_ || !firsts_are_measured(able)) return able;
    by_measurement_ = true;
    std::stable_sort(able.begin(), able.end(), [&](size_t a, size_t b) { return faster(a, b); });
    return able;
  }

 private:
  bool by_rule(size_t a, size_t b) const {
    const Candidate &x = candidates_[a], &y = candidates_[b];
    if (const bool fits = prompt_fits(x, facts_); fits != prompt_fits(y, facts_)) return fits;
    if (facts_.policy != Policy::kFast && kind_order(x.verdict) != kind_order(y.verdict))
      return kind_order(x.verdict) < kind_order(y.verdict);
    return x.verdict.rank > y.verdict.rank;
  }

  bool faster(size_t a, size_t b) const {
    const Candidate &x = candidates_[a], &y = candidates_[b];
    if (const bool fits = prompt_fits(x, facts_); fits != prompt_fits(y, facts_)) return fits;
    if (x.measured.has_value() != y.measured.has_value()) return x.measured.has_value();
    return x.measured && seconds(*x.measured, facts_) < seconds(*y.measured, facts_);
  }

  // The first of each kind, and more than one.
  bool firsts_are_measured(const std::vector<size_t>& sorted) const {
    bool seen[3] = {};
    int measured = 0;
    for (const size_t i : sorted) {
      measured += candidates_[i].measured.has_value();
      bool& kind = seen[kind_order(candidates_[i].verdict)];
      if (!kind && !candidates_[i].measured) return false;
      kind = true;
    }
    return measured > 1;
  }

  std::span<const Candidate> candidates_;
  const PlacementFacts& facts_;
  bool efficient_ = false, by_measurement_ = false;
};

// What kept the better kinds of devices out, in short.
std::string instead_of(std::span<const Candidate> candidates, const PlacementFacts& facts,
                       const Placement& placement) {
  const int chosen = kind_order(candidates[placement.chosen].verdict);
  std::string lacking, too_long;
  for (const char* kind : {"npu", "gpu"}) {
    const Verdict probe{{}, 0, {}, kind};
    if (kind_order(probe) >= chosen) break;
    bool able = false;
    for (size_t i = 0; i < candidates.size(); ++i) {
      if (candidates[i].verdict.kind != kind || !placement.refusals[i].empty()) continue;
      able = true;
      too_long = fmt::format("the prompt's {} tokens are more than the {} that {} is compiled for",
                             facts.prompt_tokens, candidates[i].longest_prompt,
                             candidates[i].verdict.device);
    }
    if (!able) lacking += (lacking.empty() ? "no " : " or ") + people_kind(probe);
  }
  if (!lacking.empty()) lacking += " can run it";
  return lacking + (lacking.empty() || too_long.empty() ? "" : ", ") + too_long;
}

std::string reason(std::span<const Candidate> candidates, const PlacementFacts& facts,
                   const Placement& placement, const Order& order) {
  const Candidate& chosen = candidates[placement.chosen];
  if (facts.wanted != "auto" && placement.order.size() < 2) return "asked for";
  if (placement.order.size() < 2) {
    return candidates.size() < 2 ? "the only device offered" : "the only device that can run it";
  }
  if (placement.by_measurement)
    return fmt::format("measured here: {:.1f} tokens/s, the fastest of {}",
                       chosen.measured->answer_rate,
                       std::count_if(placement.order.begin(), placement.order.end(),
                                     [&](size_t i) { return candidates[i].measured.has_value(); }));
  std::string why = facts.policy == Policy::kFast
                        ? fmt::format("{} is the fastest by its engine's own estimate",
                                      people_kind(chosen.verdict))
                        : fmt::format("{} comes first", people_kind(chosen.verdict));
  if (facts.policy != Policy::kFast) {
    const std::string others = instead_of(candidates, facts, placement);
    if (chosen.verdict.kind == "npu")
      why += ": it is healthy and the prompt fits";
    else if (!others.empty())
      why = others;
  }
  if (order.efficient())
    why += facts.policy == Policy::kEfficient ? " (policy efficient)" : " (on battery)";
  return why;
}

}  // namespace

const char* policy_name(Policy policy) {
  return policy == Policy::kFast ? "fast" : policy == Policy::kEfficient ? "efficient" : "auto";
}

Policy parse_policy(std::string_view name) {
  for (const Policy policy : {Policy::kAuto, Policy::kFast, Policy::kEfficient})
    if (name == policy_name(policy)) return policy;
  throw_error(Code::kInvalidArgument, "policy '{}' is unknown, expected auto, fast or efficient",
              name);
}

Placement place(std::span<const Candidate> candidates, const PlacementFacts& facts) {
  Placement placement;
  std::vector<Verdict> verdicts;
  for (const Candidate& candidate : candidates) {
    placement.refusals.push_back(refusal(candidate, facts));
    verdicts.push_back(candidate.verdict);
    if (!placement.refusals.back().empty()) {
      verdicts.back().rank = 0;
      verdicts.back().reason = placement.refusals.back();
    }
  }
  // Whether anything will do, what stands in for what was wanted, and what to say where nothing
  // can.
  const Choice choice = facts.require ? Choice{&choose_device(verdicts, facts.wanted), {}}
                                      : choose_device_or_another(verdicts, facts.wanted);
  placement.fallback = choice.fallback;
  const std::string wanted = choice.fallback.empty() ? facts.wanted : "auto";
  std::vector<size_t> able;
  for (size_t i = 0; i < verdicts.size(); ++i)
    if (verdicts[i].rank > 0 && matches(verdicts[i], wanted)) able.push_back(i);
  Order order(candidates, facts);
  placement.order = order.sort(std::move(able));
  placement.by_measurement = order.by_measurement();
  placement.chosen = placement.order.front();
  placement.why = reason(candidates, facts, placement, order);
  return placement;
}

}  // namespace phial
