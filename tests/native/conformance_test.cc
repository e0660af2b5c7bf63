// SPDX-License-Identifier: Apache-2.0
// The CPU engine in the suite of every backend, with float and quantized weights.
#include "conformance/suite.h"
#include "conformance/tiny_model.h"
#include "native/native_backend.h"

namespace phial {
namespace {

Subject native_subject(const std::string& name, const TinyFormats& formats,
                       double reference_tolerance, int32_t threads,
                       const std::string& kv_cache = {}) {
  const auto package = [formats](TinyKind kind) {
    Phi3Config config = tiny_config();
    if (kind == TinyKind::kLongRope) make_longrope(config, 16);
    if (kind == TinyKind::kWindow) config.sliding_window = 5;
    return tiny_package(config, formats);
  };
  return {name, make_native_backend, "cpu", package, 0, reference_tolerance, threads, kv_cache};
}

TinyFormats mixed() {
  TinyFormats formats = TinyFormats::all(WeightFormat::kU4);
  formats.qkv = formats.lm_head = formats.embedding = WeightFormat::kU8;
  return formats;
}

// Tolerances: see reference_test.cc, where each format has its measurement.
INSTANTIATE_TEST_SUITE_P(
    native, Conformance,
    ::testing::Values(
        native_subject("f32", TinyFormats::all(WeightFormat::kF32), 2e-6, 2),
        native_subject("bf16", TinyFormats::all(WeightFormat::kBF16), 2e-3, 1),
        native_subject("u4_and_u8", mixed(), 3e-2, 1),
        native_subject("i16_cache", TinyFormats::all(WeightFormat::kF16), 2e-3, 2, "i16"),
        native_subject("f16_cache", TinyFormats::all(WeightFormat::kF16), 2e-3, 1, "f16"),
        native_subject("u8_cache", TinyFormats::all(WeightFormat::kF16), 3e-2, 1, "u8")),
    [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace phial
