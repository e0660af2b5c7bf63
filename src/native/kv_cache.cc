// SPDX-License-Identifier: Apache-2.0
#include "native/kv_cache.h"

#include <algorithm>
#include <utility>

#include "base/error.h"

namespace phial {
namespace {

constexpr uint64_t kLine = 64;
// Positions committed at once: a call an area (two thousand of them in Phi-3-mini), so not for each
// token.
constexpr int32_t kCommitStep = 128;
// Below this, memory is kept for the next turn: faulting pages in again costs more than it holds.
constexpr uint64_t kKeepBytes = 64u << 20;

uint64_t element_bytes(kernels::KvType type) {
  switch (type) {
    case kernels::KvType::kF32:
      return 4;
    case kernels::KvType::kF16:
    case kernels::KvType::kI16:
      return 2;
    case kernels::KvType::kU8:
      break;
  }
  return 1;
}

uint64_t bytes_of_position(kernels::KvType type, int32_t head_dim) {
  if (type == kernels::KvType::kI16) return kernels::kv_block_bytes(head_dim) / kernels::kKvBlock;
  const uint64_t tail = type == kernels::KvType::kU8 ? kernels::kU8Tail : 0;
  return static_cast<uint64_t>(head_dim) * element_bytes(type) + tail;
}

bool all_f32(const Phi3Weights& weights) {
  return std::all_of(weights.layers.begin(), weights.layers.end(), [](const Phi3Layer& layer) {
    return layer.qkv.format == WeightFormat::kF32 && layer.o.format == WeightFormat::kF32 &&
           layer.gate_up.format == WeightFormat::kF32 && layer.down.format == WeightFormat::kF32;
  });
}

int32_t round_up(int32_t value, int32_t step) { return (value + step - 1) / step * step; }

}  // namespace

std::optional<kernels::KvType> kv_type_of(std::string_view name) {
  if (name == "f32") return kernels::KvType::kF32;
  if (name == "f16") return kernels::KvType::kF16;
  if (name == "i16") return kernels::KvType::kI16;
  if (name == "u8") return kernels::KvType::kU8;
  return std::nullopt;
}

kernels::KvType choose_kv_type(const Phi3Config& config, const Phi3Weights& weights,
                               const kernels::KernelTable& table, std::string_view wanted) {
  if (!wanted.empty()) {
    if (const auto type = kv_type_of(wanted)) return *type;
    throw_error(
        Code::kInvalidArgument,
        "key/value cache type '{}' is unknown to the CPU engine; it has u8, i16, f16 and f32",
        wanted);
  }
  // f32 weights are for exactness, and get a cache that keeps it.
  if (all_f32(weights)) return kernels::KvType::kF32;
  // Queries of longer heads would have to be rounded to fewer bits (x86/attend_i16.inc.h).
  constexpr int32_t kLongestHead = 128;
  return table.kv_type == kernels::KvType::kI16 && config.head_dim > kLongestHead
             ? kernels::KvType::kF16
             : table.kv_type;
}

uint64_t kv_bytes_per_token(const Phi3Config& config, kernels::KvType type) {
  return static_cast<uint64_t>(config.n_layers) * 2 * static_cast<uint64_t>(config.n_kv_heads) *
         bytes_of_position(type, config.head_dim);
}

KvCache::KvCache(const Phi3Config& config, int32_t max_context, kernels::KvType type)
    : type_(type),
      kv_heads_(config.n_kv_heads),
      areas_(static_cast<uint64_t>(config.n_layers) * 2 * static_cast<uint64_t>(config.n_kv_heads)),
      position_bytes_(bytes_of_position(type, config.head_dim)),
      together_(type == kernels::KvType::kI16 ? kernels::kKvBlock : 1),
      area_bytes_(
          (static_cast<uint64_t>(round_up(max_context, together_)) * position_bytes_ + kLine - 1) /
          kLine * kLine) {
  // No huge pages: each head's area would commit 2 MiB at its first token.
  auto range = AddressRange::reserve(areas_ * area_bytes_, false);
  if (!range)
    throw_error(Code::kOutOfMemory,
                "the key/value cache for a context of {} tokens needs {:.1f} GiB of address space, "
                "which the system "
                "refuses; ask for less with --context",
                max_context, static_cast<double>(areas_ * area_bytes_) / (1u << 30));
  range_ = std::move(*range);
}

int64_t KvCache::stride() const {
  return static_cast<int64_t>(position_bytes_ / element_bytes(type_));
}

void KvCache::touch(int32_t length) {
  touched_ = std::max(touched_, length);
  if (length <= committed_) return;
  static_assert(kCommitStep % kernels::kKvBlock == 0);
  const int32_t to = round_up(length, kCommitStep);
  const auto offset = [&](int32_t position) {
    return std::min(static_cast<uint64_t>(position) * position_bytes_, area_bytes_);
  };
  for (uint64_t area = 0; area < areas_ * area_bytes_; area += area_bytes_)
    if (!range_.commit(area + offset(committed_), area + offset(to)))
      throw_error(Code::kOutOfMemory,
                  "the key/value cache of {} tokens doesn't fit in memory; ask for less with "
                  "--context",
                  length);
  committed_ = to;
}

void KvCache::shrink(int32_t length) {
  length = round_up(length, together_);
  if (length >= touched_) return;
  const uint64_t position = position_bytes_;
  if (static_cast<uint64_t>(touched_ - length) * position * areas_ < kKeepBytes) return;
  if (length == 0) {
    range_.give_back(0, range_.size());
  } else {
    for (uint64_t i = 0; i < areas_; ++i) {
      const uint64_t area = i * area_bytes_;
      range_.give_back(area + static_cast<uint64_t>(length) * position,
                       area + static_cast<uint64_t>(round_up(touched_, together_)) * position);
    }
  }
  touched_ = committed_ = length;
}

}  // namespace phial
