// SPDX-License-Identifier: Apache-2.0
// The choice among verdicts. Asking the backends for them is the caller's loop: what exists is
// known to api alone.
#include "backend/backend.h"
#include "base/error.h"

namespace phial {
namespace {

bool matches(std::string_view device, std::string_view wanted) {
  if (wanted == "auto" || device == wanted) return true;
  return device.size() > wanted.size() && device.starts_with(wanted) &&
         device[wanted.size()] == ':';
}

}  // namespace

const Verdict& choose_device(std::span<const Verdict> verdicts, std::string_view wanted) {
  const Verdict* best = nullptr;
  std::string refused, others;
  for (const Verdict& verdict : verdicts) {
    if (!matches(verdict.device, wanted)) {
      others += fmt::format("{}{}", others.empty() ? "" : ", ", verdict.device);
    } else if (verdict.rank <= 0) {
      refused += fmt::format("\n  {}: {}", verdict.device, verdict.reason);
    } else if (!best || verdict.rank > best->rank) {  // among equals the first
      best = &verdict;
    }
  }
  if (best) return *best;
  if (verdicts.empty())
    throw_error(Code::kUnsupported, "no engine offers any device, '{}' was asked for", wanted);
  if (refused.empty())
    throw_error(Code::kUnsupported, "no engine offers the device '{}'; there is: {}", wanted,
                others);
  throw_error(Code::kUnsupported, "no device that matches '{}' can run this package:{}", wanted,
              refused);
}

}  // namespace phial
