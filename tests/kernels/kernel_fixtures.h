// SPDX-License-Identifier: Apache-2.0
// Random inputs for kernels, buffers that end at an unreadable page, and the list of tables to
// test.
#pragma once

#include <cmath>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include "base/rng.h"
#include "kernels/dispatch.h"
#include "kernels/kernels.h"
#include "tensor/formats.h"
#include "tensor/half.h"

namespace phial::kernels {

// The test-only twins of avx2vnni (same source, EVEX encoding) and of amx (same source, the tile
// registers modelled; null entries are avx512vnni's), see tests/kernels/CMakeLists.txt.
extern const KernelTable kAvx2VnniEvexTable;
extern const KernelTable kAmxEmulatedTable;

// `bytes` bytes, a whole number of pages, of which the last one can't be touched; nullptr if the
// system refuses. guarded_posix.cc and guarded_windows.cc.
size_t page_bytes();
char* map_guarded(size_t bytes);
void unmap_guarded(char* base, size_t bytes);

// `bytes` bytes whose end touches a page without access: reading or writing past it is a crash.
// Starts as 0xA5.
class GuardedBytes {
 public:
  GuardedBytes() : GuardedBytes(0) {}
  explicit GuardedBytes(size_t bytes) : bytes_(bytes) {
    const size_t page = page_bytes();
    mapped_ = (bytes + page - 1) / page * page + page;
    base_ = map_guarded(mapped_);
    if (!base_) std::abort();
    data_ = base_ + mapped_ - page - bytes;
    std::memset(base_, 0xA5, mapped_ - page);
  }
  GuardedBytes(GuardedBytes&& other) noexcept
      : bytes_(other.bytes_),
        mapped_(other.mapped_),
        base_(std::exchange(other.base_, nullptr)),
        data_(other.data_) {}
  GuardedBytes& operator=(GuardedBytes&& other) noexcept {
    std::swap(bytes_, other.bytes_);
    std::swap(mapped_, other.mapped_);
    std::swap(base_, other.base_);
    std::swap(data_, other.data_);
    return *this;
  }
  ~GuardedBytes() {
    if (base_) unmap_guarded(base_, mapped_);
  }
  template <class T>
  T* as() {
    return reinterpret_cast<T*>(data_);
  }
  template <class T>
  const T* as() const {
    return reinterpret_cast<const T*>(data_);
  }
  size_t bytes() const { return bytes_; }

 private:
  size_t bytes_ = 0, mapped_ = 0;
  char* base_ = nullptr;
  char* data_ = nullptr;
};

// The end of the scratch is guarded too, its start aligned to 64 bytes as the contract says.
inline GuardedBytes poisoned_scratch(size_t bytes) {
  GuardedBytes scratch((bytes + 63) / 64 * 64);
  std::memset(scratch.as<char>(), 0xFF, scratch.bytes());  // NaN as floats
  return scratch;
}

// Normal, with a few outliers as transformers' activations have them.
inline float activation(Rng& rng) { return rng.normal() * (rng.below(64) ? 1.0f : 8.0f); }

inline GuardedBytes random_floats(Rng& rng, size_t n) {
  GuardedBytes buffer(n * sizeof(float));
  for (size_t i = 0; i < n; i++) buffer.as<float>()[i] = activation(rng);
  return buffer;
}

struct RandomMatrix {
  GuardedBytes data, scales, zero_points;
  WeightMatrix view;

  Matrix matrix() const {
    return {static_cast<Format>(view.format),
            static_cast<int32_t>(view.rows),
            static_cast<int32_t>(view.cols),
            static_cast<int32_t>(view.group),
            view.data,
            view.scales,
            view.zero_points};
  }
};

inline RandomMatrix random_matrix(Rng& rng, WeightFormat format, int64_t rows, int64_t cols,
                                  int64_t group = 0, bool asymmetric = false) {
  RandomMatrix m;
  m.view = {format, rows, cols, group};
  m.data = GuardedBytes(m.view.data_bytes());
  const size_t n = static_cast<size_t>(rows * cols);
  for (size_t i = 0; i < n && format == WeightFormat::kF32; i++)
    m.data.as<float>()[i] = rng.normal();
  for (size_t i = 0; i < n && format == WeightFormat::kF16; i++)
    m.data.as<uint16_t>()[i] = f32_to_f16(rng.normal());
  for (size_t i = 0; i < n && format == WeightFormat::kBF16; i++)
    m.data.as<uint16_t>()[i] = f32_to_bf16(rng.normal());
  m.view.data = m.data.as<std::byte>();
  if (!is_quantized(format)) return m;
  for (size_t i = 0; i < m.data.bytes(); i++)
    m.data.as<uint8_t>()[i] = static_cast<uint8_t>(rng.next());
  if (rng.below(4) == 0)
    std::memset(m.data.as<char>(), rng.below(2) ? 0xFF : 0, m.data.bytes());  // saturation
  m.scales = GuardedBytes(m.view.scale_bytes());
  for (size_t i = 0; i < m.scales.bytes() / 2; i++)
    m.scales.as<uint16_t>()[i] = f32_to_f16(static_cast<float>(0.002 + 0.01 * rng.uniform()));
  m.view.scales = m.scales.as<uint16_t>();
  if (!asymmetric) return m;
  m.zero_points = GuardedBytes(m.view.zero_point_bytes());
  for (size_t i = 0; i < m.zero_points.bytes(); i++)
    m.zero_points.as<uint8_t>()[i] = static_cast<uint8_t>(rng.next());
  m.view.zero_points = m.zero_points.as<uint8_t>();
  return m;
}

// A table to test, or why it can't be tested on this machine.
struct Candidate {
  std::string name;
  const KernelTable* table = nullptr;
  std::string why_not;
};

std::vector<Candidate> candidates();

// Test names carry the tier: Linear/TierTest.QuantEqualsScalar/avx2vnni_evex.
inline std::string candidate_name(const Candidate& candidate) { return candidate.name; }

}  // namespace phial::kernels
