// SPDX-License-Identifier: Apache-2.0
// OpenVINO's CPU plugin in the suite of every backend, through the plug-in interface.
#include "conformance/suite.h"
#include "openvino/environment.h"

namespace phial {
namespace {

// f32 throughout, but a prompt and its tokens one by one take other kernels of OpenVINO's: two ways
// agree to rounding, not to the bit. Weights are f16 on both sides.
INSTANTIATE_TEST_SUITE_P(openvino, Conformance,
                         ::testing::Values(Subject{
                             "cpu_f32", [] { return openvino_backend(exact_settings()); },
                             "openvino:CPU", [](TinyKind kind) { return tiny_on_disk(kind); }, 2e-4,
                             1e-4, 1}),
                         [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace phial
