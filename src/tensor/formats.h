// SPDX-License-Identifier: Apache-2.0
// How weight matrices are stored, bit by bit: the one page that quantizer, package, kernels and
// exporters agree on. y = x W^T with W [rows, cols] = [out, in], row-major.
//
//   kF32, kF16, kBF16   data [rows][cols], no scales
//   kU8                 codes u8 [rows][cols]; scales f16 [rows][cols/group]; zero points u8
//   [rows][cols/group] kU4                 codes [rows][cols/2], two a byte, the even column in the
//   low nibble;
//                       scales f16 [rows][cols/group]; zero points u4 [rows][ceil((cols/group)/2)],
//                       even group low
//
//   w[r][c] = (code - zero_point) * scale        zero_points == nullptr: 128 for u8 and 8 for u4
//   (symmetric)
//
// `group` divides cols; group == cols is channel-wise. kU4 needs an even group. These very bytes
// are OpenVINO's u4/u8 constants and ONNX MatMulNBits' B (facts: docs/formats/package.md).
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace phial {

enum class WeightFormat : uint8_t { kF32, kF16, kBF16, kU8, kU4 };

const char* weight_format_name(WeightFormat format);  // "f32", "f16", "bf16", "u8", "u4"
bool weight_format_from_name(std::string_view name, WeightFormat& out);
inline bool is_quantized(WeightFormat f) {
  return f == WeightFormat::kU8 || f == WeightFormat::kU4;
}

// A view of one stored matrix; whoever made it owns the bytes (a mapped file or a buffer).
struct WeightMatrix {
  WeightFormat format = WeightFormat::kF32;
  int64_t rows = 0, cols = 0;
  int64_t group = 0;                     // columns that share a scale; 0 for float formats
  const std::byte* data = nullptr;       // codes or floats
  const uint16_t* scales = nullptr;      // f16 bits
  const uint8_t* zero_points = nullptr;  // nullptr: symmetric

  int64_t groups() const { return group ? cols / group : 0; }
  uint64_t data_bytes() const;        // all rows
  uint64_t scale_bytes() const;       // 0 for float formats
  uint64_t zero_point_bytes() const;  // as if asymmetric; 0 for float formats
  uint64_t row_bytes() const { return rows ? data_bytes() / static_cast<uint64_t>(rows) : 0; }
  uint64_t total_bytes() const {
    return data_bytes() + scale_bytes() + (zero_points ? zero_point_bytes() : 0);
  }
};

// Row `row` in float32, out[cols]. The specification of every format; slow, used by the reference
// and by tests.
void dequantize_row(const WeightMatrix& matrix, int64_t row, float* out);

}  // namespace phial
