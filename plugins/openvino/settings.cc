// SPDX-License-Identifier: Apache-2.0
#include "settings.h"

#include <algorithm>
#include <cctype>
#include <charconv>

namespace phial::ov {
namespace {

constexpr const char* kKeys =
    "library, npu-prompt, npu-response, npu-prefill-hint, npu-generate-hint, npu-turbo, "
    "npu-platform, "
    "static-models, cache";

int32_t count(const std::string& key, const std::string& value) {
  int32_t n = 0;
  const char* end = value.data() + value.size();
  const auto [stop, error] = std::from_chars(value.data(), end, n);
  if (error != std::errc() || stop != end || n < 1)
    throw_error(Code::kInvalidArgument, "{} is '{}', expected a number of tokens", key, value);
  return n;
}

bool yes_or_no(const std::string& key, const std::string& value) {
  if (value == "yes" || value == "1") return true;
  if (value == "no" || value == "0") return false;
  throw_error(Code::kInvalidArgument, "{} is '{}', expected yes or no", key, value);
}

// "best-perf" of a flag as OpenVINO spells it.
std::string hint(const std::string& key, const std::string& value,
                 std::initializer_list<const char*> known) {
  std::string list;
  for (const char* one : known) {
    if (value == one) {
      std::string spelled = value;
      for (char& c : spelled)
        c = c == '-' ? '_' : static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
      return spelled;
    }
    list += (list.empty() ? "" : " or ") + std::string(one);
  }
  throw_error(Code::kInvalidArgument, "{} is '{}', expected {}", key, value, list);
}

}  // namespace

const std::string* Settings::property(const std::string& key) const {
  for (const auto& [name, value] : properties)
    if (name == key) return &value;
  return nullptr;
}

Settings parse_settings(std::span<const std::string> settings) {
  Settings result;
  for (const std::string& setting : settings) {
    const size_t equals = std::min(setting.find('='), setting.size());
    const std::string key = setting.substr(0, equals);
    const std::string value = setting.substr(std::min(equals + 1, setting.size()));
    const bool own = !key.empty() && std::islower(static_cast<unsigned char>(key[0]));
    if (!own) {
      std::erase_if(result.properties, [&](const auto& p) { return p.first == key; });
      result.properties.emplace_back(key, value);
    } else if (key == "library") {
      result.library = value;
    } else if (key == "npu-prompt") {
      result.npu_prompt = count(key, value);
    } else if (key == "npu-response") {
      result.npu_response = count(key, value);
    } else if (key == "npu-prefill-hint") {
      result.npu_prefill_hint = hint(key, value, {"dynamic", "static"});
    } else if (key == "npu-generate-hint") {
      result.npu_generate_hint = hint(key, value, {"fast-compile", "best-perf"});
    } else if (key == "npu-turbo") {
      result.npu_turbo = yes_or_no(key, value);
    } else if (key == "npu-platform") {
      result.npu_platform = value;
    } else if (key == "static-models") {
      result.static_models = value;
    } else if (key == "cache") {
      result.cache = yes_or_no(key, value);
    } else {
      throw_error(Code::kInvalidArgument,
                  "the OpenVINO plug-in has no setting '{}'; it has {}, and OpenVINO's own "
                  "properties in upper case",
                  key, kKeys);
    }
  }
  return result;
}

}  // namespace phial::ov
