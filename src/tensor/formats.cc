// SPDX-License-Identifier: Apache-2.0
#include "tensor/formats.h"

#include <cstring>

#include "base/error.h"
#include "tensor/half.h"

namespace phial {

const char* weight_format_name(WeightFormat format) {
  switch (format) {
    case WeightFormat::kF32:
      return "f32";
    case WeightFormat::kF16:
      return "f16";
    case WeightFormat::kBF16:
      return "bf16";
    case WeightFormat::kU8:
      return "u8";
    case WeightFormat::kU4:
      return "u4";
  }
  return "?";
}

bool weight_format_from_name(std::string_view name, WeightFormat& out) {
  for (WeightFormat f : {WeightFormat::kF32, WeightFormat::kF16, WeightFormat::kBF16,
                         WeightFormat::kU8, WeightFormat::kU4})
    if (name == weight_format_name(f)) {
      out = f;
      return true;
    }
  return false;
}

uint64_t WeightMatrix::data_bytes() const {
  const uint64_t n = static_cast<uint64_t>(rows) * static_cast<uint64_t>(cols);
  switch (format) {
    case WeightFormat::kF32:
      return 4 * n;
    case WeightFormat::kF16:
    case WeightFormat::kBF16:
      return 2 * n;
    case WeightFormat::kU8:
      return n;
    case WeightFormat::kU4:
      return n / 2;
  }
  return 0;
}

uint64_t WeightMatrix::scale_bytes() const {
  return 2 * static_cast<uint64_t>(rows) * static_cast<uint64_t>(groups());
}

uint64_t WeightMatrix::zero_point_bytes() const {
  const uint64_t per_row =
      static_cast<uint64_t>(format == WeightFormat::kU4 ? (groups() + 1) / 2 : groups());
  return static_cast<uint64_t>(rows) * per_row;
}

void dequantize_row(const WeightMatrix& m, int64_t row, float* out) {
  const std::byte* p = m.data + static_cast<uint64_t>(row) * m.row_bytes();
  switch (m.format) {
    case WeightFormat::kF32:
      std::memcpy(out, p, static_cast<size_t>(m.cols) * 4);
      return;
    case WeightFormat::kF16:
    case WeightFormat::kBF16:
      for (int64_t c = 0; c < m.cols; ++c) {
        uint16_t bits;
        std::memcpy(&bits, p + 2 * c, 2);
        out[c] = m.format == WeightFormat::kF16 ? f16_to_f32(bits) : bf16_to_f32(bits);
      }
      return;
    case WeightFormat::kU8:
    case WeightFormat::kU4:
      break;
  }
  const bool u4 = m.format == WeightFormat::kU4;
  for (int64_t g = 0; g < m.groups(); ++g) {
    const float scale = f16_to_f32(m.scales[row * m.groups() + g]);
    int zero = u4 ? 8 : 128;
    if (m.zero_points && u4) {
      const uint8_t pair = m.zero_points[row * ((m.groups() + 1) / 2) + g / 2];
      zero = g % 2 ? pair >> 4 : pair & 15;
    } else if (m.zero_points) {
      zero = m.zero_points[row * m.groups() + g];
    }
    for (int64_t c = g * m.group; c < (g + 1) * m.group; ++c) {
      const int byte = static_cast<int>(u4 ? p[c / 2] : p[c]);
      const int code = u4 ? (c % 2 ? byte >> 4 : byte & 15) : byte;
      out[c] = static_cast<float>(code - zero) * scale;
    }
  }
}

}  // namespace phial
