// SPDX-License-Identifier: Apache-2.0
// A hash map from 64-bit keys to 32-bit values: open addressing, no erase. For the tables that BPE
// reads per character.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace phial {

class FlatMap {
 public:
  static constexpr uint64_t kNoKey = ~0ull;  // may not be inserted

  explicit FlatMap(size_t expected = 0) { rehash(expected); }

  void set(uint64_t key, uint32_t value) {
    if ((size_ + 1) * 2 > slots_.size()) rehash(size_ + 1);
    Slot& slot = slots_[index_of(key)];
    if (slot.key == kNoKey) ++size_;
    slot = {key, value};
  }

  const uint32_t* find(uint64_t key) const {
    const Slot& slot = slots_[index_of(key)];
    return slot.key == kNoKey ? nullptr : &slot.value;
  }

  size_t size() const { return size_; }

 private:
  struct Slot {
    uint64_t key = kNoKey;
    uint32_t value = 0;
  };

  size_t index_of(uint64_t key) const {
    uint64_t h = key * 0x9E3779B97F4A7C15ull;  // Fibonacci hashing; the high bits are the good ones
    h ^= h >> 32;
    const size_t mask = slots_.size() - 1;
    size_t i = h & mask;
    while (slots_[i].key != kNoKey && slots_[i].key != key) i = (i + 1) & mask;
    return i;
  }

  void rehash(size_t expected) {
    size_t capacity = 16;
    while (capacity < expected * 2 + 2) capacity *= 2;
    if (capacity <= slots_.size()) capacity = slots_.size() * 2;
    std::vector<Slot> old = std::exchange(slots_, std::vector<Slot>(capacity));
    for (const Slot& slot : old)
      if (slot.key != kNoKey) slots_[index_of(slot.key)] = slot;
  }

  std::vector<Slot> slots_;
  size_t size_ = 0;
};

}  // namespace phial
