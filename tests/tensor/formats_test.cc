// SPDX-License-Identifier: Apache-2.0
// The formats by hand: bytes written out here, values worked out here.
#include "tensor/formats.h"

#include <gtest/gtest.h>

#include <cstring>
#include <vector>

#include "base/error.h"
#include "tensor/dtype.h"
#include "tensor/half.h"

namespace phial {
namespace {

std::vector<float> row(const WeightMatrix& m, int64_t r) {
  std::vector<float> out(static_cast<size_t>(m.cols));
  dequantize_row(m, r, out.data());
  return out;
}

TEST(Formats, U4SymmetricLowNibbleIsTheEvenColumn) {
  const uint8_t codes[] = {0x80, 0xF1, 0x98, 0x07};  // [2 rows][4 cols]
  const uint16_t scales[] = {f32_to_f16(0.5f), f32_to_f16(-2.0f), f32_to_f16(1.0f),
                             f32_to_f16(4.0f)};
  WeightMatrix m{
      WeightFormat::kU4, 2, 4, 2, reinterpret_cast<const std::byte*>(codes), scales, nullptr};
  EXPECT_EQ(row(m, 0), (std::vector<float>{-4.0f, 0.0f, 14.0f, -14.0f}));
  EXPECT_EQ(row(m, 1), (std::vector<float>{0.0f, 1.0f, -4.0f, -32.0f}));
  EXPECT_EQ(m.data_bytes(), 4u);
  EXPECT_EQ(m.scale_bytes(), 8u);
  EXPECT_EQ(m.zero_point_bytes(), 2u);
  EXPECT_EQ(m.total_bytes(), 12u);
}

TEST(Formats, U4ZeroPointsArePackedByRow) {
  const uint8_t codes[] = {0x10, 0x32, 0x54, 0xFF,
                           0xFF, 0xFF};  // [2][6], group 2: 3 groups, 2 bytes of zero points a row
  const uint16_t one = f32_to_f16(1.0f);
  const uint16_t scales[] = {one, one, one, one, one, one};
  const uint8_t zeros[] = {0x21, 0x03, 0xF0, 0x0E};
  WeightMatrix m{
      WeightFormat::kU4, 2, 6, 2, reinterpret_cast<const std::byte*>(codes), scales, zeros};
  EXPECT_EQ(row(m, 0), (std::vector<float>{-1, 0, 0, 1, 1, 2}));
  EXPECT_EQ(row(m, 1), (std::vector<float>{15, 15, 0, 0, 1, 1}));
  EXPECT_EQ(m.zero_point_bytes(), 4u);
}

TEST(Formats, U8WithAndWithoutZeroPoints) {
  const uint8_t codes[] = {0, 128, 255, 130};
  const uint16_t scales[] = {f32_to_f16(0.25f), f32_to_f16(1.0f)};
  const uint8_t zeros[] = {100, 255};
  WeightMatrix m{
      WeightFormat::kU8, 2, 2, 2, reinterpret_cast<const std::byte*>(codes), scales, zeros};
  EXPECT_EQ(row(m, 0), (std::vector<float>{-25.0f, 7.0f}));
  EXPECT_EQ(row(m, 1), (std::vector<float>{0.0f, -125.0f}));
  m.zero_points = nullptr;
  EXPECT_EQ(row(m, 0), (std::vector<float>{-32.0f, 0.0f}));
}

TEST(Formats, FloatsAreReadUnaligned) {
  std::vector<std::byte> bytes(1 + 4);
  const uint16_t values[] = {0x3F80, 0xC000};  // bf16 1, -2
  std::memcpy(bytes.data() + 1, values, 4);
  WeightMatrix m{WeightFormat::kBF16, 1, 2, 0, bytes.data() + 1, nullptr, nullptr};
  EXPECT_EQ(row(m, 0), (std::vector<float>{1.0f, -2.0f}));
  m.format = WeightFormat::kF16;
  EXPECT_EQ(row(m, 0), (std::vector<float>{1.875f, -2.0f}));
  EXPECT_EQ(m.scale_bytes(), 0u);
}

TEST(DTypes, NamesRoundTripAndUnknownOnesAreNotGuessed) {
  for (const char* name : {"F32", "F16", "BF16", "U8", "I8", "I32", "I64"})
    EXPECT_STREQ(dtype_name(*dtype_from_name(name)), name);
  EXPECT_FALSE(dtype_from_name("F8_E4M3"));
  const int32_t value = 1;
  TensorView view{"t", DType::kI32, {1}, reinterpret_cast<const std::byte*>(&value)};
  float out;
  EXPECT_THROW(to_f32(view, 0, 1, &out), Error);
}

}  // namespace
}  // namespace phial
