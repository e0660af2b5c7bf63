// SPDX-License-Identifier: Apache-2.0
#include "kernels/self_check.h"

#include <fmt/format.h>

#include <cstring>
#include <memory>
#include <vector>

namespace phial::kernels {
namespace {

constexpr int32_t kRows = 32, kCols = 128, kTokens = 17;
constexpr uint16_t kScale = 0x2E66;  // f16 0.1

struct alignas(64) Line {
  std::byte bytes[64];
};

std::unique_ptr<Line[]> lines(size_t bytes) {
  return std::make_unique_for_overwrite<Line[]>((bytes + sizeof(Line) - 1) / sizeof(Line));
}

std::vector<float> product(const KernelTable& table, const Matrix& w, const float* x) {
  const auto packed = lines(packed_bytes(w.format, kTokens, kCols, 1));
  const auto scratch = lines(linear_scratch_bytes());
  std::vector<float> y(static_cast<size_t>(kTokens) * kRows);
  table.pack_u4(x, kTokens, kCols, 1, 0, kTokens, packed.get());
  const Linear l{w, packed.get(), kTokens, 1, y.data(), kRows, 0, kRows, scratch.get()};
  table.linear_u4(l);
  return y;
}

}  // namespace

std::string self_check(const KernelTable& table, const KernelTable& reference) {
  std::vector<uint8_t> codes(static_cast<size_t>(kRows) * kCols / 2);
  std::vector<float> x(static_cast<size_t>(kTokens) * kCols);
  uint32_t state = 1;  // any numbers that aren't alike will do
  const auto next = [&] { return (state = state * 1664525 + 1013904223) >> 16; };
  for (uint8_t& code : codes) code = static_cast<uint8_t>(next());
  for (float& v : x) v = static_cast<float>(next() % 2001) - 1000;
  const std::vector<uint16_t> scales(kRows, kScale);
  const Matrix w{Format::kU4, kRows, kCols, kCols, codes.data(), scales.data(), nullptr};
  const std::vector<float> ours = product(table, w, x.data()),
                           theirs = product(reference, w, x.data());
  if (std::memcmp(ours.data(), theirs.data(), ours.size() * sizeof(float)) == 0) return "";
  return fmt::format("its products aren't those of {} on this processor", reference.name);
}

}  // namespace phial::kernels
