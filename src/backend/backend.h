// SPDX-License-Identifier: Apache-2.0
// An engine that can run packages on some devices, the registry of engines, and the choice among
// them (a pure function over verdicts). No word of a model in here.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "backend/session.h"
#include "package/package.h"

namespace phial {

struct Device {
  std::string id;           // "cpu", "openvino:GPU.0"
  std::string description;  // "Intel(R) Core(TM) Ultra 7 155H, avx2vnni"
};

// Can this engine run this package on this device? rank > 0: yes, higher is better; 0: no, and
// `reason` says why.
struct Verdict {
  std::string device;
  int rank = 0;
  std::string reason;
};

struct SessionOptions {
  int32_t context = 0;  // tokens per sequence; 0: the model's maximum
  int32_t max_sequences = 1;
  int32_t threads = 0;        // 0: all available
  int32_t prefill_chunk = 0;  // 0: the engine's choice
  std::string kv_cache;       // "f16", "f32", or empty: the engine's choice
};

class Backend {
 public:
  virtual ~Backend() = default;
  virtual std::string name() const = 0;
  virtual std::vector<Device> devices() const = 0;
  virtual Verdict accepts(const Package& package, std::string_view device) const = 0;
  virtual std::unique_ptr<Session> open(std::shared_ptr<const Package> package,
                                        std::string_view device,
                                        const SessionOptions& options) const = 0;
};

// The verdict with the highest rank among those whose device matches `wanted` ("auto" matches all;
// a name matches itself and "name:..."). Throws kUnsupported, listing every reason, if none can;
// with `required`, a device that isn't the wanted one is an error rather than a fallback.
const Verdict& choose_device(std::span<const Verdict> verdicts, std::string_view wanted);

}  // namespace phial
