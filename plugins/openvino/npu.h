// SPDX-License-Identifier: Apache-2.0
// What is particular to the NPU: the lengths that its models are compiled for, the properties of
// its way to run language models (NPUW), and why it can't be used.
#pragma once

#include <string>

#include "graph.h"

namespace phial::ov {

// NPUW rounds both lengths up to multiples of this.
inline constexpr int32_t kNpuGrain = 64;
int32_t round_up(int32_t tokens);

// The lengths that a session begins with: as set, else OpenVINO's own defaults, within the model's.
Room first_room(const Phi3Config& config, const Settings& settings, int32_t context);
// The smallest doubling of `room` whose prompt holds `tokens`.
Room next_room(const Room& room, int32_t tokens, const Phi3Config& config);
// Tokens that a sequence can have in all.
int32_t npu_total(const Room& room);
// What a session may promise. A LongRoPE model is compiled with its short factors, and ends where
// they end.
int32_t npu_context(const Phi3Config& config, const Room& room, int32_t context, bool grows);

Properties npu_properties(const Target& target, const Settings& settings, const Room& room);

// Empty: it can be used. Else what is missing, and where to get it.
std::string npu_why_not(const Core& core);

// Empty, or why a driver of this NPU_DRIVER_VERSION won't do. What can't be judged will.
std::string npu_driver_why_not(const std::string& number);

// OpenVINO's words about a failed compilation, made plainer where we know what they mean.
std::string explain_npu_failure(const std::string& message);

}  // namespace phial::ov
