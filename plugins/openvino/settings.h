// SPDX-License-Identifier: Apache-2.0
// What the user set: OpenVINO's own properties (upper-case keys, passed through) and the plug-in's
// (lower-case keys, each with a flag of the command line).
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "ov_objects.h"

namespace phial::ov {

struct Settings {
  Properties properties;  // as given, the last of two with one key
  std::string library;    // file or folder of OpenVINO

  std::optional<int32_t> npu_prompt;    // tokens of the longest prompt
  std::optional<int32_t> npu_response;  // tokens that a reply gets at least
  std::string npu_prefill_hint;         // "DYNAMIC", "STATIC", or empty: OpenVINO's choice
  std::string npu_generate_hint;        // "FAST_COMPILE", "BEST_PERF", or empty
  bool npu_turbo = false;

  std::string npu_platform;   // "4000": the NPU to compile for, which needn't be there
  std::string static_models;  // folder that `phial compile` made, to be run

  std::optional<bool> cache;  // keep compiled models; unset: for devices that compile long

  const std::string* property(const std::string& key) const;  // null: not given
};

// Throws kInvalidArgument for a lower-case key or a value that isn't known.
Settings parse_settings(std::span<const std::string> settings);

}  // namespace phial::ov
