// SPDX-License-Identifier: Apache-2.0
// The quantizer against NNCF's own tensors (tests/golden/quant, made by
// tools/oracle/quant_nncf.py), bit for bit, and against the formulas for what NNCF doesn't store
// so: packing, fp16, other source types, refusals.
#include "quant/schemes.h"

#include <gtest/gtest.h>

#include <cstring>
#include <limits>

#include "base/error.h"
#include "base/file.h"
#include "base/rng.h"
#include "oracle_weights.h"
#include "tensor/half.h"

namespace phial {
namespace {

WeightMatrix f32_matrix(const std::vector<float>& w, int64_t rows, int64_t cols) {
  WeightMatrix m;
  m.rows = rows;
  m.cols = cols;
  m.data = reinterpret_cast<const std::byte*>(w.data());
  return m;
}

// A quantized matrix with its bytes.
struct Quantized {
  std::vector<std::byte> data;
  std::vector<uint16_t> scales;
  std::vector<uint8_t> zero_points;
  WeightMatrix matrix;

  Quantized(const WeightMatrix& source, QuantScheme scheme, int64_t group)
      : matrix(quant_shape(scheme, source.rows, source.cols, group)) {
    data.resize(matrix.data_bytes());
    scales.resize(matrix.scale_bytes() / 2);
    if (has_zero_points(scheme)) zero_points.resize(matrix.zero_point_bytes());
    quant_rows(source, 0, source.rows, scheme, matrix,
               {data.data(), scales.data(), zero_points.data()}, "w");
    matrix.data = data.data();
    if (!scales.empty()) matrix.scales = scales.data();
    if (!zero_points.empty()) matrix.zero_points = zero_points.data();
  }

  int code(int64_t row, int64_t col) const {
    const int64_t i = row * matrix.cols + col;
    if (matrix.format == WeightFormat::kU8) return static_cast<int>(data[static_cast<size_t>(i)]);
    const int byte = static_cast<int>(data[static_cast<size_t>(i / 2)]);
    return i % 2 ? byte >> 4 : byte & 15;
  }
  int zero_point(int64_t row, int64_t g) const {
    if (matrix.format == WeightFormat::kU8)
      return zero_points[static_cast<size_t>(row * matrix.groups() + g)];
    const int byte = zero_points[static_cast<size_t>(row * ((matrix.groups() + 1) / 2) + g / 2)];
    return g % 2 ? byte >> 4 : byte & 15;
  }
};

struct CaseHeader {
  char magic[4];
  uint32_t scheme;
  int32_t group;
  uint32_t rows, cols, seed;
};
static_assert(sizeof(CaseHeader) == 24);

constexpr QuantScheme kSchemes[] = {QuantScheme::kInt8Asym, QuantScheme::kInt8Sym,
                                    QuantScheme::kInt4Asym, QuantScheme::kInt4Sym};

TEST(Schemes, MatchNncfBitForBit) {
  const std::string golden =
      read_file(fs::path(PHIAL_SOURCE_DIR) / "tests/golden/quant/schemes.bin");
  size_t at = 0;
  int cases = 0;
  auto take = [&](void* out, size_t bytes) {
    ASSERT_LE(at + bytes, golden.size());
    if (bytes) std::memcpy(out, golden.data() + at, bytes);  // `out` may be null for none
    at += bytes;
  };
  while (at < golden.size()) {
    CaseHeader h;
    take(&h, sizeof h);
    ASSERT_EQ(std::string(h.magic, 4), "QCAS");
    const std::vector<float> w = oracle_weights(h.rows, h.cols, h.seed);
    const Quantized q(f32_matrix(w, h.rows, h.cols), kSchemes[h.scheme], h.group);
    const int64_t groups = q.matrix.groups();
    std::vector<uint8_t> codes(h.rows * h.cols),
        zero_points(has_zero_points(kSchemes[h.scheme]) ? h.rows * groups : 0);
    std::vector<uint16_t> scales(h.rows * groups);
    take(codes.data(), codes.size());
    take(scales.data(), 2 * scales.size());
    take(zero_points.data(), zero_points.size());
    EXPECT_EQ(scales, q.scales) << scheme_name(kSchemes[h.scheme]) << " group " << h.group;
    int wrong_codes = 0, wrong_zero_points = 0;
    for (int64_t r = 0; r < h.rows; ++r) {
      for (int64_t c = 0; c < h.cols; ++c)
        wrong_codes += codes[static_cast<size_t>(r * h.cols + c)] != q.code(r, c);
      for (int64_t g = 0; g < groups && !zero_points.empty(); ++g)
        wrong_zero_points += zero_points[static_cast<size_t>(r * groups + g)] != q.zero_point(r, g);
    }
    EXPECT_EQ(wrong_codes, 0) << scheme_name(kSchemes[h.scheme]) << " group " << h.group;
    EXPECT_EQ(wrong_zero_points, 0) << scheme_name(kSchemes[h.scheme]) << " group " << h.group;
    ++cases;
  }
  EXPECT_EQ(cases, 20);
}

TEST(Schemes, DequantizedWeightsAreWithinAStep) {
  Rng rng(3);
  const int64_t rows = 9, cols = 192;
  std::vector<float> w(static_cast<size_t>(rows * cols)), back(static_cast<size_t>(cols));
  for (float& x : w) x = 0.02f * rng.normal();
  for (QuantScheme scheme : kSchemes)
    for (int64_t group : {32, 64, 96, -1}) {
      const Quantized q(f32_matrix(w, rows, cols), scheme, group);
      for (int64_t r = 0; r < rows; ++r) {
        dequantize_row(q.matrix, r, back.data());
        for (int64_t c = 0; c < cols; ++c) {
          const float scale = std::fabs(f16_to_f32(
              q.scales[static_cast<size_t>(r * q.matrix.groups() + c / q.matrix.group)]));
          // symmetric codes lack the level +half; the asymmetric zero point is rounded: a step at
          // the ends, and a little for the f16 scale
          EXPECT_LE(std::fabs(back[static_cast<size_t>(c)] - w[static_cast<size_t>(r * cols + c)]),
                    scale * 1.13f)
              << scheme_name(scheme) << " group " << group;
        }
      }
    }
}

TEST(Schemes, OddNumberOfGroupsPadsZeroPointsByRow) {
  Rng rng(4);
  const int64_t rows = 5,
                cols =
                    96;  // 3 groups of 32: 2 bytes of zero points a row, the last high nibble empty
  std::vector<float> w(static_cast<size_t>(rows * cols));
  for (float& x : w) x = rng.normal() + 0.3f;
  const Quantized q(f32_matrix(w, rows, cols), QuantScheme::kInt4Asym, 32);
  ASSERT_EQ(q.zero_points.size(), 10u);
  for (int64_t r = 0; r < rows; ++r)
    EXPECT_EQ(q.zero_points[static_cast<size_t>(2 * r + 1)] >> 4, 0);
}

TEST(Schemes, BlocksOfRowsGiveTheSameBytes) {
  const std::vector<float> w = oracle_weights(30, 128, 9);
  const WeightMatrix source = f32_matrix(w, 30, 128);
  for (QuantScheme scheme : {QuantScheme::kInt4Asym, QuantScheme::kInt4Sym, QuantScheme::kInt8Asym,
                             QuantScheme::kFp16}) {
    const Quantized whole(source, scheme, 32);
    const WeightMatrix& m = whole.matrix;
    std::vector<std::byte> data(whole.data.size());
    std::vector<uint16_t> scales(whole.scales.size());
    std::vector<uint8_t> zero_points(whole.zero_points.size());
    for (int64_t begin = 0; begin < 30; begin += 7) {
      const size_t at = static_cast<size_t>(begin);
      quant_rows(
          source, begin, std::min<int64_t>(30, begin + 7), scheme, m,
          {data.data() + at * m.row_bytes(), scales.data() + at * static_cast<size_t>(m.groups()),
           zero_points.data() + at * zero_points.size() / 30},
          "w");
    }
    EXPECT_EQ(data, whole.data) << scheme_name(scheme);
    EXPECT_EQ(scales, whole.scales) << scheme_name(scheme);
    EXPECT_EQ(zero_points, whole.zero_points) << scheme_name(scheme);
  }
}

// Every source type gives what its float32 values give; addresses that are odd are fine.
TEST(Schemes, SourceTypesAgree) {
  Rng rng(5);
  const int64_t rows = 4, cols = 128;
  for (WeightFormat format : {WeightFormat::kBF16, WeightFormat::kF16}) {
    std::vector<std::byte> raw(static_cast<size_t>(2 * rows * cols + 1));
    std::vector<float> w(static_cast<size_t>(rows * cols));
    for (size_t i = 0; i < w.size(); ++i) {
      const float x =
          0.02f * rng.normal() * (i % 50 == 0 ? 1e-5f : 1.0f);  // f16 subnormals among them
      const uint16_t bits = format == WeightFormat::kBF16 ? f32_to_bf16(x) : f32_to_f16(x);
      w[i] = format == WeightFormat::kBF16 ? bf16_to_f32(bits) : f16_to_f32(bits);
      std::memcpy(raw.data() + 1 + 2 * i, &bits, 2);
    }
    WeightMatrix source = f32_matrix(w, rows, cols);
    source.format = format;
    source.data = raw.data() + 1;
    for (QuantScheme scheme : {QuantScheme::kInt4Asym, QuantScheme::kInt4Sym,
                               QuantScheme::kInt8Asym, QuantScheme::kInt8Sym, QuantScheme::kFp16}) {
      const Quantized a(source, scheme, 64), b(f32_matrix(w, rows, cols), scheme, 64);
      EXPECT_EQ(a.data, b.data) << scheme_name(scheme);
      EXPECT_EQ(a.scales, b.scales) << scheme_name(scheme);
      EXPECT_EQ(a.zero_points, b.zero_points) << scheme_name(scheme);
    }
  }
}

TEST(Schemes, Fp16IsTheScalarConversion) {
  Rng rng(6);
  std::vector<float> w;
  for (int i = 0; i < 4096; ++i) {
    const uint32_t bits = static_cast<uint32_t>(rng.next());
    const float x = std::bit_cast<float>(bits);
    w.push_back(std::isfinite(x) && std::fabs(x) < 65504.0f
                    ? x
                    : static_cast<float>(bits % 1000) * 0x1p-26f);
  }
  for (float x : {0.0f, -0.0f, 65504.0f, -65519.996f, 0x1p-14f, 0x1p-24f, 0x1p-25f, 0x1.8p-25f})
    w.push_back(x);
  const Quantized q(f32_matrix(w, 1, static_cast<int64_t>(w.size())), QuantScheme::kFp16, 0);
  for (size_t i = 0; i < w.size(); ++i) {
    uint16_t bits;
    std::memcpy(&bits, q.data.data() + 2 * i, 2);
    EXPECT_EQ(bits, f32_to_f16(w[i])) << w[i];
  }
}

TEST(Schemes, RefusesWhatTheFormatCannotHold) {
  auto message = [](float bad, QuantScheme scheme) -> std::string {
    std::vector<float> w(256, 0.5f);
    w[200] = bad;
    try {
      Quantized(f32_matrix(w, 2, 128), scheme, 64);
    } catch (const Error& e) {
      EXPECT_EQ(e.code(), Code::kUnsupported);
      return e.what();
    }
    return "accepted";
  };
  const float inf = std::numeric_limits<float>::infinity(),
              nan = std::numeric_limits<float>::quiet_NaN();
  for (QuantScheme scheme : kSchemes) {
    EXPECT_NE(message(inf, scheme).find("row 1"), std::string::npos);
    EXPECT_NE(message(nan, scheme).find("'w'"), std::string::npos);
  }
  EXPECT_NE(message(65520.0f, QuantScheme::kFp16).find("beyond 65504 in row 1"), std::string::npos);
  EXPECT_EQ(message(65504.0f, QuantScheme::kFp16), "accepted");
  EXPECT_NE(message(-1e9f, QuantScheme::kInt4Sym).find("scale"), std::string::npos);
  EXPECT_EQ(message(1e5f, QuantScheme::kInt4Sym), "accepted");
}

TEST(Schemes, ErrorIsTheWorstRowOfInt8) {
  Rng rng(8);
  const int64_t rows = 6, cols = 1100;
  std::vector<float> w(static_cast<size_t>(rows * cols));
  for (float& x : w) x = 0.02f * rng.normal();
  for (int64_t c = 0; c < cols; ++c) w[static_cast<size_t>(3 * cols + c)] *= 5;
  const WeightMatrix source = f32_matrix(w, rows, cols);
  const Quantized q(source, QuantScheme::kInt8Asym, -1);
  double worst = 0;
  for (int64_t r = 0; r < rows; ++r) {
    // the float32 scale, before its rounding to f16
    const float* x = w.data() + r * cols;
    const auto [low, high] = std::minmax_element(x, x + cols);
    const float scale = (*high - *low) / 255.0f;
    double sum = 0;
    for (int64_t c = 0; c < cols; ++c) {
      const double d =
          static_cast<double>(static_cast<float>(q.code(r, c) - q.zero_point(r, 0)) * scale) -
          static_cast<double>(x[c]);
      sum += d * d;
    }
    worst = std::max(worst, sum / static_cast<double>(cols));
  }
  EXPECT_NEAR(int8_row_error(source, 0, rows) / worst, 1.0, 1e-5);
  EXPECT_LT(int8_row_error(source, 0, 3), 0.1 * worst);
}

}  // namespace
}  // namespace phial
