// SPDX-License-Identifier: Apache-2.0
#include "native/native_backend.h"

#include "base/cpu_info.h"
#include "base/error.h"
#include "kernels/dispatch.h"
#include "native/native_session.h"

namespace phial {
namespace {

constexpr const char* kDevice = "cpu";
// Below what an accelerator's engine will claim, above engines that run on the CPU through another
// runtime.
constexpr int kRank = 50;

class NativeBackend : public Backend {
 public:
  std::string name() const override { return "native"; }

  std::vector<Device> devices() const override {
    try {
      return {{kDevice, fmt::format("{}, {}", cpu_name(), kernels::best().name)}};
    } catch (const Error&
                 error) {  // PHIAL_ISA names a tier that can't run: said here, refused by open()
      return {{kDevice, fmt::format("{}, unusable: {}", cpu_name(), error.what())}};
    }
  }

  Verdict accepts(const Package& package, std::string_view device) const override {
    Verdict verdict{std::string(device), 0, {}};
    if (device != kDevice) {
      verdict.reason = fmt::format("phial's own engine runs on '{}' only", kDevice);
      return verdict;
    }
    try {
      verdict.reason = fmt::format("runs on {}", kernels::best().name);
      verdict.rank = kRank;
    } catch (const Error& error) {
      verdict.reason = error.what();
      return verdict;
    }
    const uint64_t memory = physical_memory_bytes();
    if (memory != 0 && package.weight_bytes() > memory)
      verdict.reason +=
          fmt::format(", but slowly: the weights' {:.1f} GiB exceed the memory's {:.1f} GiB",
                      static_cast<double>(package.weight_bytes()) / (1u << 30),
                      static_cast<double>(memory) / (1u << 30));
    return verdict;
  }

  std::unique_ptr<Session> open(std::shared_ptr<const Package> package, std::string_view device,
                                const SessionOptions& options) const override {
    if (device != kDevice)
      throw_error(Code::kUnsupported, "phial's own engine runs on '{}', not on '{}'", kDevice,
                  device);
    return std::make_unique<NativeSession>(std::move(package), kernels::best(), options);
  }
};

}  // namespace

std::unique_ptr<Backend> make_native_backend() { return std::make_unique<NativeBackend>(); }

}  // namespace phial
