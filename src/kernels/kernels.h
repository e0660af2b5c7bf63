// SPDX-License-Identifier: Apache-2.0
// The kernel table: plain function pointers, one table per instruction-set tier, merged at start so
// that a null entry is the tier below's. Kernels can't fail, allocate or throw; every pointer is
// the caller's. Files built with ISA flags include only this header, <stddef.h>, <stdint.h> and
// intrinsics.
//
// Activations that meet quantized weights are first packed (pack_*): per token, in blocks of
// kActBlock columns with one f32 scale each, to int8, or to 16 bits as two planes of int8, which
// costs the kernels twice the arithmetic and not one more byte of weights. The packed layout
// belongs to the tier that made it; treat it as opaque bytes. For u8 and u4 every tier does the
// same float operations in the same order (linear_quant_any.inc.h states them), so an output has
// the same bits on every tier, alone or in a batch, however the rows are split.
#pragma once

#include <stddef.h>
#include <stdint.h>

namespace phial::kernels {

constexpr int32_t kActBlock = 32;
// With two planes a value is (kPlaneBase * high + low) * scale; both are in [-127, 127], as every
// tier's int8 product wants them.
constexpr int32_t kPlaneBase = 254;

enum class Format : uint8_t { kF32, kF16, kBF16, kU8, kU4 };  // same order as phial::WeightFormat

// A weight matrix as stored, see tensor/formats.h for the bits.
struct Matrix {
  Format format;
  int32_t rows, cols, group;  // group: 0 for float formats
  const void* data;
  const uint16_t* scales;      // f16 [rows][cols/group]
  const uint8_t* zero_points;  // nullptr: symmetric
};

// y[m][n] = sum_k x[m][k] * w[n][k] for n in [row_begin, row_end), m in [0, n_tokens).
struct Linear {
  Matrix w;
  const void* x;  // float formats: f32 [n_tokens][cols], densely; quantized: what pack wrote
  int32_t n_tokens;
  int32_t planes;    // of packed activations, as given to pack: 1 or 2; float formats: 1
  float* y;          // [n_tokens][y_stride]
  int64_t y_stride;  // floats
  int32_t row_begin, row_end;
  void* scratch;  // linear_scratch_bytes(), 64-byte aligned, of this thread alone
};

// kU8: a position's head_dim codes are followed by kU8Tail bytes, its scale and its offset as f32:
// value = fma(code, scale, offset).
// kI16: positions lie in blocks of kKvBlock, keys and values each as its products want them, with a
// f32 scale a position: value = code * scale (kv_i16.inc.h). append_i16 writes them.
enum class KvType : uint8_t { kF32, kF16, kU8, kI16 };
constexpr int32_t kU8Tail = 8;
constexpr int32_t kKvBlock = 64;

// Causal attention of one KV head for a run of query tokens and the query heads that share it
// (GQA).
//   out[t][h] = softmax_j(scale * q[t][h] . k[j]) v[j],  j in (pos - window, pos], pos = q_position
//   + t
struct Attend {
  const float*
      q;  // [n_tokens][q_stride] -> first of n_heads consecutive heads, each head_dim floats
  int64_t q_stride;
  int32_t n_tokens, n_heads, head_dim;
  int32_t q_position;  // position of token 0
  int32_t window;      // number of visible keys including the own one; <= 0: all
  const void* k;       // [position][head_dim] of this KV head, row stride kv_stride elements;
                       // kU8: the head_dim codes' row has its tail behind them; kI16: the head's
                       // block 0, kv_stride isn't read
  const void* v;
  int64_t kv_stride;
  KvType kv_type;
  float scale;
  float* out;  // [n_tokens][out_stride], same head order as q
  int64_t out_stride;
  float* scratch;  // attend_scratch_floats()
};

struct KernelTable {
  const char* name;  // as dispatch.cc lists them: "scalar", "avx2", ...

  // Activations for u8/u4 weights: x f32 [n_tokens][cols] -> packed; tokens [begin, end) only, so
  // that threads can share the work.
  void (*pack_u8)(const float* x, int32_t n_tokens, int32_t cols, int32_t planes, int32_t begin,
                  int32_t end, void* packed);
  void (*pack_u4)(const float* x, int32_t n_tokens, int32_t cols, int32_t planes, int32_t begin,
                  int32_t end, void* packed);

  void (*linear_f32)(const Linear&);
  void (*linear_f16)(const Linear&);
  void (*linear_bf16)(const Linear&);
  void (*linear_u8)(const Linear&);
  void (*linear_u4)(const Linear&);

  void (*attend)(const Attend&);
  KvType kv_type;  // what `attend` reads fastest of those that round no more than f16

  // y[i] = w[i] * (x[i] / sqrt(mean(x^2) + eps))
  void (*rms_norm)(const float* x, const float* w, float eps, int32_t n, float* y);
  // In place on n_heads heads of head_dim floats; pairs (i, i + rotary/2), cos and sin [rotary/2].
  void (*rope)(float* x, int32_t n_heads, int32_t head_dim, int32_t rotary, const float* cos,
               const float* sin);
  // y[i] = up[i] * gate[i] / (1 + exp(-gate[i]))
  void (*silu_mul)(const float* gate, const float* up, int32_t n, float* y);
  void (*add)(const float* x, int32_t n, float* y);  // y += x
  void (*f32_to_f16)(const float* x, int64_t n, uint16_t* y);
  void (*f16_to_f32)(const uint16_t* x, int64_t n, float* y);
  // A row of KvType::kU8: n codes between the smallest and the largest value, and the tail.
  void (*f32_to_u8)(const float* x, int32_t n, uint8_t* y);
  // A position of KvType::kI16: head_dim floats each, to their places in the head's blocks of keys
  // and of values.
  void (*append_i16)(const float* key, const float* value, int32_t head_dim, int32_t position,
                     void* keys, void* values);

  // `rounds` times the integer products that linear_u8 and linear_u4 are made of, with nothing to
  // load or to store: the tier's peak. Returns how many operations that were (a product and a sum
  // are two).
  uint64_t (*int8_peak)(uint64_t rounds);
};

// Upper bounds that hold for every tier.
size_t packed_bytes(Format format, int32_t n_tokens, int32_t cols, int32_t planes);
size_t linear_scratch_bytes();
size_t attend_scratch_floats(const Attend& shape);

// Keys or values of kKvBlock positions of one head in KvType::kI16.
size_t kv_block_bytes(int32_t head_dim);

// Rows of weights that one chunk of a parallel loop should take at least, so that no tier wastes a
// tile.
constexpr int32_t kRowTile = 48;

}  // namespace phial::kernels
