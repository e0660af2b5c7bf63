// SPDX-License-Identifier: Apache-2.0
// A device of OpenVINO's under the name that phial gives it.
#pragma once

#include <string>
#include <string_view>

namespace phial::ov {

struct Target {
  enum class Kind {
    kCpu,
    kGpu,
    kNpu,
    // The NPU's way of running a model (NPUW: static shapes, a prefill and a generate model), but
    // executed by the CPU plugin. For tests: it is never offered, only taken by name.
    kNpuwOnCpu,
    kOther,
  };

  std::string id;      // "openvino:GPU.0"
  std::string device;  // what OpenVINO calls it: "GPU.0"; of kNpuwOnCpu "NPU"
  Kind kind = Kind::kOther;

  bool npuw() const { return kind == Kind::kNpu || kind == Kind::kNpuwOnCpu; }
  // Compiling takes long enough to keep what comes out.
  bool compiles_long() const { return kind == Kind::kNpu || kind == Kind::kGpu; }
};

inline constexpr std::string_view kPrefix = "openvino:";
inline constexpr std::string_view kNpuwOnCpu = "npuw-on-cpu";

inline Target to_target(std::string_view id) {
  if (id.starts_with(kPrefix)) id.remove_prefix(kPrefix.size());
  Target target{std::string(kPrefix) + std::string(id), std::string(id), Target::Kind::kOther};
  const std::string_view family = id.substr(0, id.find('.'));
  if (id == kNpuwOnCpu) {
    target.kind = Target::Kind::kNpuwOnCpu;
    target.device = "NPU";
  } else if (family == "CPU") {
    target.kind = Target::Kind::kCpu;
  } else if (family == "GPU") {
    target.kind = Target::Kind::kGpu;
  } else if (family == "NPU") {
    target.kind = Target::Kind::kNpu;
  }
  return target;
}

}  // namespace phial::ov
