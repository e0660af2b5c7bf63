// SPDX-License-Identifier: Apache-2.0
// ONNX Runtime in the suite of every backend, through the plug-in interface: the CPU's graph, the
// graph for CUDA executed on the CPU, and that for DirectML fed as DirectML must be.
#include "conformance/suite.h"
#include "onnxruntime/environment.h"

namespace phial {
namespace {

// Weights are f16 on both sides. On the CPU all is f32 but the order of sums, which depends on the
// length of a run: two ways agree to rounding, not to the bit. GPU graphs compute in f16.
constexpr double kF32Repeat = 2e-4, kF32Reference = 1e-4, kF16Repeat = 2e-2, kF16Reference = 1e-2;

Subject subject(const char* name, std::vector<std::string> settings, const std::string& provider,
                double repeat, double reference) {
  return {name,
          [settings] { return onnxruntime_backend(settings); },
          "onnxruntime:cpu",
          [provider](TinyKind kind) { return tiny_with_graph(kind, provider); },
          repeat,
          reference,
          1};
}

INSTANTIATE_TEST_SUITE_P(onnxruntime, Conformance,
                         ::testing::Values(subject("cpu", {}, "cpu", kF32Repeat, kF32Reference),
                                           subject("cpu_without_appending",
                                                   {"onnxruntime.append=no"}, "cpu", kF32Repeat,
                                                   kF32Reference),
                                           subject("cuda_graph", {"onnxruntime.any-graph=yes"},
                                                   "cuda", kF16Repeat, kF16Reference)),
                         [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace phial
