// SPDX-License-Identifier: Apache-2.0
// Which device runs a model: a pure function over facts. By itself the NPU comes first where it is
// healthy and the prompt fits, then the GPU, then the CPU; what was measured here, the battery and
// the user have more to say.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "backend/backend.h"

namespace phial {

enum class Policy {
  kAuto,       // on mains as measured, else NPU, GPU, CPU; on battery as kEfficient
  kFast,       // as measured, else the engines' own ranks: GPU, NPU, CPU
  kEfficient,  // NPU, GPU, CPU, whatever was measured
};
const char* policy_name(Policy policy);
// Throws kInvalidArgument with the list.
Policy parse_policy(std::string_view name);

// Of an earlier run of the same package on the same device with the same versions.
struct Measured {
  double prompt_rate = 0, answer_rate = 0;  // tokens/s
};

// A verdict, and what else is known of its device.
struct Candidate {
  Verdict verdict;
  int32_t longest_prompt = 0;     // that it takes without being compiled anew; 0: any
  uint64_t own_memory_bytes = 0;  // 0: shares the computer's, or not known
  std::optional<Measured> measured;
};

struct PlacementFacts {
  std::string wanted = "auto";
  bool require = false;  // what doesn't match `wanted` won't do
  Policy policy = Policy::kAuto;
  std::optional<bool> on_battery;
  int32_t prompt_tokens = 0;    // 0: not known
  int32_t answer_tokens = 128;  // for comparing what was measured
  uint64_t needed_bytes = 0;    // weights, cache, workspace; 0: not known
};

struct Placement {
  size_t chosen = 0;                  // index of the candidate
  std::string why;                    // "measured here: ...", "NPUs come first"
  std::string fallback;               // why it isn't what was wanted; empty: it is
  bool by_measurement = false;        // what was measured has decided
  std::vector<size_t> order;          // of those that can run it and match, the best first
  std::vector<std::string> refusals;  // [candidate]; empty: it can run it
};

// Throws kUnsupported, with every reason, if none can.
Placement place(std::span<const Candidate> candidates, const PlacementFacts& facts);

// Whether a verdict's device is one that `wanted` names: "auto" is all, a name is itself,
// "name:..." and devices of that kind.
bool matches(const Verdict& verdict, std::string_view wanted);

}  // namespace phial
