// SPDX-License-Identifier: Apache-2.0
#include "settings.h"

#include <algorithm>
#include <string_view>

#include "base/error.h"

namespace phial::ort {
namespace {

constexpr std::string_view kOurs = "onnxruntime.", kProvider = "provider.", kSession = "session.";

bool yes_or_no(const std::string& key, const std::string& value) {
  if (value == "yes" || value == "1") return true;
  if (value == "no" || value == "0") return false;
  throw_error(Code::kInvalidArgument, "{} is '{}', expected yes or no", key, value);
}

// The last of two with one key counts.
void put(std::vector<std::pair<std::string, std::string>>& list, const std::string& key,
         const std::string& value) {
  if (key.empty()) throw_error(Code::kInvalidArgument, "an option '={}' has no name", value);
  std::erase_if(list, [&](const auto& option) { return option.first == key; });
  list.emplace_back(key, value);
}

}  // namespace

Settings parse_settings(std::span<const std::string> settings) {
  Settings result;
  for (const std::string& setting : settings) {
    if (!setting.starts_with(kOurs)) continue;
    const size_t equals = std::min(setting.find('='), setting.size());
    const std::string key = setting.substr(kOurs.size(), equals - kOurs.size());
    const std::string value = setting.substr(std::min(equals + 1, setting.size()));
    if (key.starts_with(kProvider)) {
      put(result.provider_options, key.substr(kProvider.size()), value);
    } else if (key.starts_with(kSession)) {
      put(result.session_options, key.substr(kSession.size()), value);
    } else if (key == "library") {
      result.libraries.push_back(value);
    } else if (key == "any-graph") {
      result.any_graph = yes_or_no(key, value);
    } else if (key == "append") {
      result.append = yes_or_no(key, value);
    } else {
      throw_error(Code::kInvalidArgument,
                  "the ONNX Runtime plug-in has no setting '{}'; it has library, provider.KEY and "
                  "session.KEY",
                  key);
    }
  }
  return result;
}

}  // namespace phial::ort
