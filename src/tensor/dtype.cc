// SPDX-License-Identifier: Apache-2.0
#include "tensor/dtype.h"

#include <cstring>

#include "base/error.h"
#include "tensor/half.h"

namespace phial {
namespace {

struct Row {
  DType type;
  const char* name;
  size_t bytes;
};
constexpr Row kRows[] = {{DType::kF32, "F32", 4},   {DType::kF16, "F16", 2},
                         {DType::kBF16, "BF16", 2}, {DType::kU8, "U8", 1},
                         {DType::kI8, "I8", 1},     {DType::kI32, "I32", 4},
                         {DType::kI64, "I64", 8}};

const Row& row(DType type) { return kRows[static_cast<size_t>(type)]; }

}  // namespace

size_t dtype_bytes(DType type) { return row(type).bytes; }
const char* dtype_name(DType type) { return row(type).name; }

std::optional<DType> dtype_from_name(std::string_view name) {
  for (const Row& r : kRows)
    if (name == r.name) return r.type;
  return std::nullopt;
}

int64_t element_count(const Shape& shape) {
  int64_t n = 1;
  for (int64_t d : shape) n *= d;
  return n;
}

std::string to_string(const Shape& shape) {
  std::string out = "[";
  for (size_t i = 0; i < shape.size(); ++i) out += (i ? ", " : "") + std::to_string(shape[i]);
  return out + "]";
}

void to_f32(const TensorView& tensor, int64_t begin, int64_t count, float* out) {
  const std::byte* p = tensor.data + static_cast<uint64_t>(begin) * dtype_bytes(tensor.dtype);
  switch (tensor.dtype) {
    case DType::kF32:
      std::memcpy(out, p, static_cast<size_t>(count) * 4);
      return;
    case DType::kF16:
    case DType::kBF16:
      for (int64_t i = 0; i < count; ++i) {
        uint16_t bits;
        std::memcpy(&bits, p + 2 * i, 2);
        out[i] = tensor.dtype == DType::kF16 ? f16_to_f32(bits) : bf16_to_f32(bits);
      }
      return;
    default:
      throw_error(Code::kUnsupported, "tensor '{}' has type {}; expected F32, F16 or BF16",
                  tensor.name, dtype_name(tensor.dtype));
  }
}

}  // namespace phial
