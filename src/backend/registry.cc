// SPDX-License-Identifier: Apache-2.0
// The choice among verdicts. Asking the backends for them is the caller's loop: what exists is
// known to api alone.
#include "backend/backend.h"
#include "backend/placement.h"
#include "base/error.h"

namespace phial {

void Backend::compile(const Package&, std::string_view device, const fs::path&,
                      const SessionOptions&) const {
  throw_error(Code::kUnsupported,
              "device '{}': the engine '{}' runs packages as they are, there is "
              "nothing to compile",
              device, name());
}

bool matches(const Verdict& verdict, std::string_view wanted) {
  const std::string_view device = verdict.device;
  if (wanted == "auto" || device == wanted || (!wanted.empty() && verdict.kind == wanted))
    return true;
  return device.size() > wanted.size() && device.starts_with(wanted) &&
         device[wanted.size()] == ':';
}

namespace {

const Verdict* best_of(std::span<const Verdict> verdicts, std::string_view wanted) {
  const Verdict* best = nullptr;
  for (const Verdict& verdict : verdicts)  // among equals the first
    if (matches(verdict, wanted) && verdict.rank > (best ? best->rank : 0)) best = &verdict;
  return best;
}

}  // namespace

const Verdict& choose_device(std::span<const Verdict> verdicts, std::string_view wanted) {
  if (const Verdict* best = best_of(verdicts, wanted)) return *best;
  std::string refused, others;
  for (const Verdict& verdict : verdicts) {
    if (matches(verdict, wanted))
      refused += fmt::format("\n  {}: {}", verdict.device, verdict.reason);
    else
      others += fmt::format("{}{}", others.empty() ? "" : ", ", verdict.device);
  }
  if (verdicts.empty())
    throw_error(Code::kUnsupported, "no engine offers any device, '{}' was asked for", wanted);
  if (refused.empty())
    throw_error(Code::kUnsupported, "no engine offers the device '{}'; there is: {}", wanted,
                others);
  throw_error(Code::kUnsupported, "no device that matches '{}' can run this package:{}", wanted,
              refused);
}

Choice choose_device_or_another(std::span<const Verdict> verdicts, std::string_view wanted) {
  if (const Verdict* best = best_of(verdicts, wanted)) return {best, {}};
  std::string reasons;
  for (const Verdict& verdict : verdicts)
    if (matches(verdict, wanted))
      reasons +=
          fmt::format("{}{}: {}", reasons.empty() ? "" : "; ", verdict.device, verdict.reason);
  if (reasons.empty() && (wanted == "gpu" || wanted == "npu"))
    reasons = fmt::format("no engine offers a device of the kind '{}'", wanted);
  const Verdict* other = best_of(verdicts, "auto");
  if (reasons.empty() || !other) return {&choose_device(verdicts, wanted), {}};  // throws
  return {other, reasons};
}

}  // namespace phial
