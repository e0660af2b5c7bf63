// SPDX-License-Identifier: Apache-2.0
// A device of ONNX Runtime's (an execution provider) under the name that phial gives it.
#pragma once

#include <charconv>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace phial::ort {

enum class Provider { kCpu, kDml, kCuda, kUnknown };

// "cpu", "dml", "cuda": in device names, and in `phial export --ep`.
inline const char* provider_name(Provider provider) {
  switch (provider) {
    case Provider::kCpu:
      return "cpu";
    case Provider::kDml:
      return "dml";
    case Provider::kCuda:
      return "cuda";
    default:
      return "unknown";
  }
}

struct Target {
  std::string id;      // "onnxruntime:dml:1"
  std::string device;  // "dml:1"
  Provider provider = Provider::kUnknown;
  std::optional<int32_t> index;  // which of several adapters

  const char* kind() const { return provider == Provider::kCpu ? "cpu" : "gpu"; }
};

inline constexpr std::string_view kPrefix = "onnxruntime:";

inline Target to_target(std::string_view id) {
  if (id.starts_with(kPrefix)) id.remove_prefix(kPrefix.size());
  Target target{std::string(kPrefix) + std::string(id), std::string(id), Provider::kUnknown, {}};
  std::string_view family = id, index;
  const bool several = id.find(':') != std::string_view::npos;
  if (several) {
    family = id.substr(0, id.find(':'));
    index = id.substr(id.find(':') + 1);
    int32_t n = -1;
    const auto [stop, error] = std::from_chars(index.data(), index.data() + index.size(), n);
    if (error != std::errc() || stop != index.data() + index.size() || n < 0) return target;
    target.index = n;
  }
  if (family == "cpu" && !several) target.provider = Provider::kCpu;
  if (family == "dml") target.provider = Provider::kDml;
  if (family == "cuda") target.provider = Provider::kCuda;
  return target;
}

}  // namespace phial::ort
