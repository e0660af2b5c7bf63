// SPDX-License-Identifier: Apache-2.0
// Element types and views of plain tensors, as checkpoints hold them. Quantized weights are in
// formats.h.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace phial {

enum class DType : uint8_t { kF32, kF16, kBF16, kU8, kI8, kI32, kI64 };

size_t dtype_bytes(DType type);
const char* dtype_name(DType type);  // safetensors' spelling: "F32", "BF16", ...
std::optional<DType> dtype_from_name(
    std::string_view name);  // nullopt: a type that phial doesn't know

using Shape = std::vector<int64_t>;  // outermost first

int64_t element_count(const Shape& shape);
std::string to_string(const Shape& shape);  // "[3072, 8192]"

// Bytes of a tensor that somebody else owns (usually a mapped file). Contiguous, row-major, little
// endian; the address need not be aligned to the element size.
struct TensorView {
  std::string name;
  DType dtype = DType::kF32;
  Shape shape;
  const std::byte* data = nullptr;

  uint64_t bytes() const {
    return static_cast<uint64_t>(element_count(shape)) * dtype_bytes(dtype);
  }
};

// Elements [begin, begin + count) as float32; f32, f16 and bf16 only (throws kUnsupported
// otherwise).
void to_f32(const TensorView& tensor, int64_t begin, int64_t count, float* out);

}  // namespace phial
