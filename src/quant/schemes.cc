// SPDX-License-Identifier: Apache-2.0
// The loops are plain and branch-free so that the compiler vectorises them for the baseline
// instruction set; a core gets through about 1 G weights/s, which is more than a disk delivers.
#include "quant/schemes.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <vector>

#include "base/error.h"
#include "tensor/half.h"

namespace phial {
namespace {

constexpr int64_t kLanes = 16;  // independent minima and maxima, so that the loop needs no shuffles
constexpr float kSmallestScale = 0x1p-23f;  // numpy's finfo(float32).eps

// ---- reading a row as float32; the address need not be aligned

void row_from_bf16(const std::byte* p, int64_t n, float* out) {
  for (int64_t i = 0; i < n; ++i) {
    uint16_t bits;
    std::memcpy(&bits, p + 2 * i, 2);
    out[i] = std::bit_cast<float>(static_cast<uint32_t>(bits) << 16);
  }
}

// Exact for subnormals too: the exponent is moved by a multiplication. Infinities and NaN become
// 2^16 and more.
void row_from_f16(const std::byte* p, int64_t n, float* out) {
  for (int64_t i = 0; i < n; ++i) {
    uint16_t bits;
    std::memcpy(&bits, p + 2 * i, 2);
    const uint32_t h = bits;
    const float magnitude = std::bit_cast<float>((h & 0x7FFF) << 13) * 0x1p112f;
    out[i] = std::bit_cast<float>(std::bit_cast<uint32_t>(magnitude) | (h & 0x8000) << 16);
  }
}

bool f16_row_is_finite(const std::byte* p, int64_t n) {
  uint16_t top = 0;
  for (int64_t i = 0; i < n; ++i) {
    uint16_t bits;
    std::memcpy(&bits, p + 2 * i, 2);
    top = std::max<uint16_t>(top, bits & 0x7C00);
  }
  return top != 0x7C00;
}

bool row_is_finite(const float* x, int64_t n) {
  uint32_t bad = 0;
  for (int64_t i = 0; i < n; ++i)
    bad |= static_cast<uint32_t>((std::bit_cast<uint32_t>(x[i]) & 0x7F800000) == 0x7F800000);
  return bad == 0;
}

// The row in `out`; false if a weight isn't finite.
bool read_row(const WeightMatrix& m, int64_t row, float* out) {
  const std::byte* p = m.data + static_cast<uint64_t>(row) * m.row_bytes();
  switch (m.format) {
    case WeightFormat::kF32:
      std::memcpy(out, p, static_cast<size_t>(m.cols) * 4);
      break;
    case WeightFormat::kBF16:
      row_from_bf16(p, m.cols, out);
      break;
    case WeightFormat::kF16:
      row_from_f16(p, m.cols, out);
      return f16_row_is_finite(p, m.cols);
    default:
      PHIAL_ASSERT(!"the source of a quantization is a float matrix");
  }
  return row_is_finite(out, m.cols);
}

// ---- scales

struct Range {
  float low, high;
};

Range range_of(const float* x, int64_t n) {
  float low[kLanes], high[kLanes];
  int64_t i = 0;
  if (n >= kLanes) {
    for (int64_t l = 0; l < kLanes; ++l) low[l] = high[l] = x[l];
    for (i = kLanes; i + kLanes <= n; i += kLanes)
      for (int64_t l = 0; l < kLanes; ++l) {
        low[l] = x[i + l] < low[l] ? x[i + l] : low[l];
        high[l] = x[i + l] > high[l] ? x[i + l] : high[l];
      }
  } else {
    for (int64_t l = 0; l < kLanes; ++l) low[l] = high[l] = x[0];
  }
  for (; i < n; ++i) {
    low[0] = std::min(low[0], x[i]);
    high[0] = std::max(high[0], x[i]);
  }
  for (int64_t half = kLanes / 2; half > 0; half /= 2)
    for (int64_t l = 0; l < half; ++l) {
      low[l] = low[l + half] < low[l] ? low[l + half] : low[l];
      high[l] = high[l + half] > high[l] ? high[l + half] : high[l];
    }
  return {low[0], high[0]};
}

// Adding 1.5 * 2^23 leaves a float's integer part, rounded half to even, in its lowest bits; for
// |x| < 2^22.
constexpr float kRounder = 12582912.0f;

struct Affine {
  float scale, zero_point;
};

Affine asymmetric(Range r, float levels) {  // levels 15 or 255
  const float low = std::min(0.0f, r.low), high = std::max(0.0f, r.high);
  float scale = (high - low) / levels;
  if (std::fabs(scale) < kSmallestScale) scale = kSmallestScale;
  // -round(low / scale); never negative, since low isn't positive
  return {scale, std::min((kRounder - low / scale) - kRounder, levels)};
}

float symmetric(Range r, float half) {  // half 8 or 128
  const float low = std::fabs(r.low);
  const float scale = (low >= r.high ? low : -r.high) / half;
  return std::fabs(scale) < kSmallestScale ? kSmallestScale : scale;
}

// ---- codes

// out = clip(round(x / scale + zero_point), 0, top), as bytes. x / scale + zero_point is within a
// few levels of the range unless the scale was raised to kSmallestScale, when it is small anyway.
void codes_of(const float* x, int64_t n, float scale, float zero_point, float top, uint8_t* out) {
  for (int64_t i = 0; i < n; ++i) {
    float v = x[i] / scale + zero_point;
    v = v < 0.0f ? 0.0f : v;
    v = v > top ? top : v;
    out[i] = static_cast<uint8_t>(std::bit_cast<uint32_t>(v + kRounder));
  }
}

// Symmetric codes are rounded before the offset is added, as NNCF does: adding first could round a
// half the other way.
void signed_codes_of(const float* x, int64_t n, float scale, float half, uint8_t* out) {
  const uint32_t offset = static_cast<uint32_t>(half);
  for (int64_t i = 0; i < n; ++i) {
    float v = x[i] / scale;
    v = v < -half ? -half : v;
    v = v > half - 1.0f ? half - 1.0f : v;
    out[i] = static_cast<uint8_t>(std::bit_cast<uint32_t>(v + kRounder) + offset);
  }
}

// Two codes below 16 a byte, the even one low.
void pack_nibbles(const uint8_t* codes, int64_t n, uint8_t* out) {
  for (int64_t i = 0; i < n / 2; ++i) {
    uint16_t pair;
    std::memcpy(&pair, codes + 2 * i, 2);
    out[i] = static_cast<uint8_t>(pair | pair >> 4);
  }
}

// As f32_to_f16, for a row; returns the largest magnitude's float bits.
uint32_t row_to_f16(const float* x, int64_t n, std::byte* out) {
  uint32_t largest = 0;
  for (int64_t i = 0; i < n; ++i) {
    const uint32_t u = std::bit_cast<uint32_t>(x[i]), a = u & 0x7FFFFFFF;
    largest = static_cast<int32_t>(a) > static_cast<int32_t>(largest) ? a : largest;
    const uint32_t small = std::bit_cast<uint32_t>(std::bit_cast<float>(a) + 0.5f) - 0x3F000000;
    const uint32_t normal = (a - 0x38000000 + 0xFFF + ((a >> 13) & 1)) >> 13;
    const uint32_t h = static_cast<int32_t>(a) < 0x38800000 ? small : normal;
    const uint16_t bits = static_cast<uint16_t>(h | ((u >> 16) & 0x8000));
    std::memcpy(out + 2 * i, &bits, 2);
  }
  return largest;
}

[[noreturn]] void throw_not_finite(const std::string& name, int64_t row) {
  throw_error(Code::kUnsupported,
              "tensor '{}' has an infinite or NaN weight in row {}; the checkpoint is damaged",
              name, row);
}

constexpr uint32_t kTooLargeForF16 = 0x477FF000;  // 65520: rounds to infinity

uint16_t stored_scale(float scale, const std::string& name, int64_t row) {
  if (std::fabs(scale) >= 65520.0f)
    throw_error(Code::kUnsupported,
                "tensor '{}' needs a scale of {} in row {}; a 16-bit scale reaches 65504", name,
                scale, row);
  return f32_to_f16(scale);
}

void fp16_rows(const WeightMatrix& source, int64_t begin, int64_t end, std::byte* out,
               const std::string& name) {
  std::vector<float> x(static_cast<size_t>(source.cols));
  for (int64_t row = begin; row < end; ++row, out += 2 * source.cols) {
    if (!read_row(source, row, x.data())) throw_not_finite(name, row);
    if (row_to_f16(x.data(), source.cols, out) >= kTooLargeForF16)
      throw_error(Code::kUnsupported,
                  "tensor '{}' has a weight beyond 65504 in row {}, which fp16 can't hold; use "
                  "int8 or int4 instead",
                  name, row);
  }
}

}  // namespace

const char* scheme_name(QuantScheme scheme) {
  switch (scheme) {
    case QuantScheme::kFp16:
      return "fp16";
    case QuantScheme::kInt8Asym:
      return "int8_asym";
    case QuantScheme::kInt8Sym:
      return "int8_sym";
    case QuantScheme::kInt4Asym:
      return "int4_asym";
    case QuantScheme::kInt4Sym:
      return "int4_sym";
  }
  return "?";
}

bool has_zero_points(QuantScheme scheme) {
  return scheme == QuantScheme::kInt8Asym || scheme == QuantScheme::kInt4Asym;
}

WeightMatrix quant_shape(QuantScheme scheme, int64_t rows, int64_t cols, int64_t group) {
  WeightMatrix m;
  m.rows = rows;
  m.cols = cols;
  switch (scheme) {
    case QuantScheme::kFp16:
      m.format = WeightFormat::kF16;
      return m;
    case QuantScheme::kInt8Asym:
    case QuantScheme::kInt8Sym:
      m.format = WeightFormat::kU8;
      break;
    case QuantScheme::kInt4Asym:
    case QuantScheme::kInt4Sym:
      m.format = WeightFormat::kU4;
      break;
  }
  m.group = m.format == WeightFormat::kU8 || group == -1 ? cols : group;
  return m;
}

void quant_rows(const WeightMatrix& source, int64_t begin, int64_t end, QuantScheme scheme,
                const WeightMatrix& shape, const QuantRows& out, const std::string& name) {
  if (scheme == QuantScheme::kFp16) return fp16_rows(source, begin, end, out.data, name);
  const int64_t cols = source.cols, group = shape.group, n_groups = shape.groups();
  const bool u4 = shape.format == WeightFormat::kU4, asym = has_zero_points(scheme);
  const float top = u4 ? 15.0f : 255.0f, half = u4 ? 8.0f : 128.0f;
  std::vector<float> x(static_cast<size_t>(cols));
  std::vector<uint8_t> nibbles(u4 ? static_cast<size_t>(cols) : 0);
  auto* data = reinterpret_cast<uint8_t*>(out.data);
  uint16_t* scales = out.scales;
  uint8_t* zero_points = out.zero_points;
  const int64_t data_row = u4 ? cols / 2 : cols, zero_row = u4 ? (n_groups + 1) / 2 : n_groups;
  for (int64_t row = begin; row < end; ++row) {
    if (!read_row(source, row, x.data())) throw_not_finite(name, row);
    uint8_t* codes = u4 ? nibbles.data() : data;
    if (asym) std::memset(zero_points, 0, static_cast<size_t>(zero_row));
    for (int64_t g = 0; g < n_groups; ++g) {
      const float* xg = x.data() + g * group;
      const Range range = range_of(xg, group);
      if (asym) {
        const Affine a = asymmetric(range, top);
        scales[g] = stored_scale(a.scale, name, row);
        const uint8_t z = static_cast<uint8_t>(a.zero_point);
        if (u4)
          zero_points[g / 2] |= static_cast<uint8_t>(g % 2 ? z << 4 : z);
        else
          zero_points[g] = z;
        codes_of(xg, group, a.scale, a.zero_point, top, codes + g * group);
      } else {
        const float scale = symmetric(range, half);
        scales[g] = stored_scale(scale, name, row);
        signed_codes_of(xg, group, scale, half, codes + g * group);
      }
    }
    if (u4) pack_nibbles(codes, cols, data);
    data += data_row;
    scales += n_groups;
    if (asym) zero_points += zero_row;
  }
}

float int8_row_error(const WeightMatrix& source, int64_t begin, int64_t end) {
  std::vector<float> x(static_cast<size_t>(source.cols));
  std::vector<uint8_t> codes(static_cast<size_t>(source.cols));
  float worst = 0;
  for (int64_t row = begin; row < end; ++row) {
    if (!read_row(source, row, x.data())) return 0;  // quantizing it will name the row
    const Affine a = asymmetric(range_of(x.data(), source.cols), 255.0f);
    codes_of(x.data(), source.cols, a.scale, a.zero_point, 255.0f, codes.data());
    const int32_t z = static_cast<int32_t>(a.zero_point);
    double sum = 0;
    for (int64_t c = 0; c < source.cols;) {  // short float sums, added up in double
      float part[kLanes] = {};
      const int64_t stop = std::min(source.cols, c + 1024);
      for (; c + kLanes <= stop; c += kLanes)
        for (int64_t l = 0; l < kLanes; ++l) {
          const float d =
              static_cast<float>(static_cast<int32_t>(codes[c + l]) - z) * a.scale - x[c + l];
          part[l] += d * d;
        }
      for (; c < stop; ++c) {
        const float d = static_cast<float>(static_cast<int32_t>(codes[c]) - z) * a.scale - x[c];
        part[0] += d * d;
      }
      for (float p : part) sum += p;
    }
    worst = std::max(worst, static_cast<float>(sum / static_cast<double>(source.cols)));
  }
  return worst;
}

}  // namespace phial
