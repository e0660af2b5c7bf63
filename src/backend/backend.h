// SPDX-License-Identifier: Apache-2.0
// An engine that can run packages on some devices, the registry of engines, and the choice among
// them (a pure function over verdicts). No word of a model in here.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "backend/session.h"
#include "package/package.h"

namespace phial {

struct Device {
  std::string id;            // "cpu", "openvino:GPU.0"
  std::string description;   // "Intel(R) Core(TM) Ultra 7 155H, avx2vnni"
  std::string kind = "cpu";  // or "gpu", "npu": names that a user may ask for instead of an id
  std::string why_not;       // empty: usable. Else the sentence why not
};

// Can this engine run this package on this device? rank > 0: yes, higher is better; 0: no, and
// `reason` says why.
struct Verdict {
  std::string device;
  int rank = 0;
  std::string reason;
  std::string kind;  // the device's
};

// What an engine has to say while it opens or runs: lines for the user, none of them an error.
enum class NoticeKind {
  kInfo = 0,      // "compiling for the NPU, this happens once"
  kWarning = 1,   // something was left undone
  kProgress = 2,  // the state of long work: each replaces the one before, an empty text ends them
};
using Notice = std::function<void(NoticeKind kind, const std::string& text)>;

struct SessionOptions {
  int32_t context = 0;  // tokens per sequence; 0: the model's maximum
  int32_t max_sequences = 1;
  int32_t threads = 0;        // 0: all available
  int32_t prefill_chunk = 0;  // 0: the engine's choice
  std::string kv_cache;       // "u8", "i16", "f16", "f32", or empty: the engine's choice
  // What activations may be rounded to where they meet quantized weights: "int8", "int16" (an engine
  // that keeps more is fine), or empty: the engine's choice.
  std::string activations;
  // "KEY=VALUE" for the runtime behind a plug-in; lower-case keys are the plug-in's own.
  std::vector<std::string> settings;
  Notice notice;  // may be empty; called on the thread that opens or steps
};

class Backend {
 public:
  virtual ~Backend() = default;
  virtual std::string name() const = 0;
  virtual std::vector<Device> devices() const = 0;
  // Those that can be ruled in without slow work, for the choice "auto".
  virtual std::vector<Device> quick_devices() const { return devices(); }
  virtual Verdict accepts(const Package& package, std::string_view device) const = 0;
  virtual std::unique_ptr<Session> open(std::shared_ptr<const Package> package,
                                        std::string_view device,
                                        const SessionOptions& options) const = 0;

  // Ahead of time: what `device`, which needn't be there, will run, into the new folder
  // `destination`. Of the options settings and notice count. Throws kUnsupported if this engine has
  // nothing to compile or the runtime behind it can't.
  virtual void compile(const Package& package, std::string_view device, const fs::path& destination,
                       const SessionOptions& options) const;
};

// The verdict with the highest rank among those whose device matches `wanted` ("auto" matches all;
// a name matches itself, "name:..." and devices of that kind). Throws kUnsupported, listing every
// reason, if none can.
const Verdict& choose_device(std::span<const Verdict> verdicts, std::string_view wanted);

// The same, but where devices that match are there and can't run the package, or `wanted` is a kind
// of device that this computer lacks, the best of the others is taken; `fallback` then says why.
struct Choice {
  const Verdict* verdict = nullptr;
  std::string fallback;  // empty: what was wanted
};
Choice choose_device_or_another(std::span<const Verdict> verdicts, std::string_view wanted);

}  // namespace phial
