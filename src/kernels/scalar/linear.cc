// SPDX-License-Identifier: Apache-2.0
#include <cmath>

#include "kernels/linear_quant_any.inc.h"
#include "kernels/scalar/scalar.h"

namespace phial::kernels::scalar {
namespace {

// Four partial sums: they shorten the chain of additions and its rounding error.
template <class Element, float (*value)(Element)>
void linear_float(const Linear& l) {
  const int64_t cols = l.w.cols;
  for (int32_t row = l.row_begin; row < l.row_end; row++) {
    const Element* w = static_cast<const Element*>(l.w.data) + row * cols;
    for (int32_t t = 0; t < l.n_tokens; t++) {
      const float* x = static_cast<const float*>(l.x) + t * cols;
      float sum[4] = {};
      int64_t c = 0;
      for (; c + 4 <= cols; c += 4)
        for (int i = 0; i < 4; i++) sum[i] += x[c + i] * value(w[c + i]);
      for (; c < cols; c++) sum[0] += x[c] * value(w[c]);
      l.y[t * l.y_stride + row] = (sum[0] + sum[1]) + (sum[2] + sum[3]);
    }
  }
}

float f32_value(float value) { return value; }

template <Format kFormat>
void pack(const float* x, int32_t n_tokens, int32_t cols, int32_t planes, int32_t begin,
          int32_t end, void* packed) {
  const PackedActs acts = packed_acts(packed, n_tokens, planes, cols);
  int8_t* lines = const_cast<int8_t*>(acts.lines);
  float* scales = const_cast<float*>(acts.scales);
  int32_t* offsets = const_cast<int32_t*>(acts.offsets);
  for (int32_t t = begin; t < end; t++) {
    for (int32_t b = 0; b < act_lines(cols) * kLineBlocks; b++) {
      const float* p = x + static_cast<int64_t>(t) * cols + b * kActBlock;
      const int32_t count = cols - b * kActBlock < kActBlock ? cols - b * kActBlock : kActBlock;
      const size_t line = acts.line(b, static_cast<size_t>(t) * static_cast<size_t>(planes));
      float largest = 0;
      for (int32_t i = 0; i < count; i++) largest = std::fmax(largest, std::fabs(p[i]));
      const bool zero = !(largest >= kSmallestActs);
      const float inverse = zero ? 0.0f : largest_code(planes) / largest;
      int32_t sums[2] = {};
      for (int32_t i = 0; i < kActBlock; i++) {
        const int32_t in_block = packed_place<kFormat>(i), half = kActBlock / 2;
        int8_t* const place = lines + line * kLineBytes + block_in_line(kFormat, b) +
                              in_block / half * half_distance(kFormat) + in_block % half;
        const float code = i < count ? std::rintf(p[i] * inverse) : 0.0f;
        const float high = planes == 2 ? std::rintf(code * kInversePlaneBase) : code;
        place[0] = static_cast<int8_t>(static_cast<int32_t>(high));
        sums[0] += place[0];
        if (planes == 1) continue;
        place[kLineBytes] = static_cast<int8_t>(static_cast<int32_t>(code) -
                                                kPlaneBase * static_cast<int32_t>(high));
        sums[1] += place[kLineBytes];
      }
      for (int32_t plane = 0; plane < planes; plane++) {
        const size_t at = (line + static_cast<size_t>(plane)) * kLineBlocks +
                          static_cast<size_t>(b % kLineBlocks);
        scales[at] = zero ? 0.0f : largest / largest_code(planes);
        offsets[at] = -symmetric_zero(kFormat) * sums[plane];
      }
    }
  }
}

}  // namespace

void pack_u8(const float* x, int32_t n_tokens, int32_t cols, int32_t planes, int32_t begin,
             int32_t end, void* packed) {
  pack<Format::kU8>(x, n_tokens, cols, planes, begin, end, packed);
}

void pack_u4(const float* x, int32_t n_tokens, int32_t cols, int32_t planes, int32_t begin,
             int32_t end, void* packed) {
  pack<Format::kU4>(x, n_tokens, cols, planes, begin, end, packed);
}

void linear_f32(const Linear& l) { linear_float<float, f32_value>(l); }
void linear_f16(const Linear& l) { linear_float<uint16_t, f16_value>(l); }
void linear_bf16(const Linear& l) { linear_float<uint16_t, bf16_value>(l); }
void linear_u8(const Linear& l) { linear_quant_any<Format::kU8>(l); }
void linear_u4(const Linear& l) { linear_quant_any<Format::kU4>(l); }

}  // namespace phial::kernels::scalar
