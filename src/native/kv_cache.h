// SPDX-License-Identifier: Apache-2.0
// Keys (already rotated) and values of one sequence. Which positions are valid is the session's
// knowledge, not the cache's.
//
// Layout: [layer][key, value][kv_head][position][head_dim], so that a head's attention reads one
// contiguous run; with 8 bits, a position's head_dim codes are followed by its scale and offset,
// and with kI16 positions lie in blocks (kernels/kv_i16.inc.h). Address space is reserved for the
// whole context, memory is used only for positions that were written, or for blocks with some.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "base/address_range.h"
#include "kernels/kernels.h"
#include "model/phi3_config.h"
#include "model/phi3_weights.h"

namespace phial {

// "f32", "f16", "i16", "u8"; nothing for other names.
std::optional<kernels::KvType> kv_type_of(std::string_view name);

// The type that the CPU engine keeps a model's cache in; `wanted` may be empty. Throws
// kInvalidArgument for names that aren't types.
kernels::KvType choose_kv_type(const Phi3Config& config, const Phi3Weights& weights,
                               const kernels::KernelTable& table, std::string_view wanted);

// All layers, keys and values, with scales and offsets.
uint64_t kv_bytes_per_token(const Phi3Config& config, kernels::KvType type);

class KvCache {
 public:
  // Throws kOutOfMemory if the address space can't be had.
  KvCache(const Phi3Config& config, int32_t max_context, kernels::KvType type);

  kernels::KvType type() const { return type_; }

  // Position 0 of a KV head; the next position is position_bytes() further. kI16: block 0.
  std::byte* keys(int32_t layer, int32_t kv_head) const { return area(layer, 0, kv_head); }
  std::byte* values(int32_t layer, int32_t kv_head) const { return area(layer, 1, kv_head); }
  // Of one head, keys or values; kI16: on average over a block.
  uint64_t position_bytes() const { return position_bytes_; }
  // From one position of a head to the next, in elements of the type; not for kI16.
  int64_t stride() const;

  // To be called before positions up to `length` are written. Throws kOutOfMemory if the system
  // hasn't got the memory, as far as it tells beforehand.
  void touch(int32_t length);

  // Positions from `length` on won't be read again. Memory goes back to the system if that is worth
  // the calls.
  void shrink(int32_t length);

 private:
  std::byte* area(int32_t layer, int32_t value, int32_t kv_head) const {
    return range_.data() + ((static_cast<uint64_t>(layer) * 2 + static_cast<uint64_t>(value)) *
                                static_cast<uint64_t>(kv_heads_) +
                            static_cast<uint64_t>(kv_head)) *
                               area_bytes_;
  }

  kernels::KvType type_;
  int32_t kv_heads_;
  uint64_t areas_;           // layers * 2 * kv heads
  uint64_t position_bytes_;  // head_dim elements
  int32_t together_;         // positions that lie in each other's midst: kKvBlock or 1
  uint64_t area_bytes_;      // max_context positions, rounded up to blocks and cache lines
  int32_t touched_ = 0;      // positions that may be backed by memory
  int32_t committed_ = 0;    // positions that may be written
  AddressRange range_;
};

}  // namespace phial
