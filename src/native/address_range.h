// SPDX-License-Identifier: Apache-2.0
// Address space that is reserved at once and backed by memory only where it is touched: what lets a
// cache be laid out for the whole context and cost what was used of it. The only place in native/
// that talks to the operating system.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

namespace phial {

class AddressRange {
 public:
  AddressRange() = default;  // no bytes
  ~AddressRange();
  AddressRange(AddressRange&& other) noexcept;
  AddressRange& operator=(AddressRange&& other) noexcept;
  AddressRange(const AddressRange&) = delete;
  AddressRange& operator=(const AddressRange&) = delete;

  // nullopt if the system refuses. Page-aligned, all zero. With `huge_pages` touching one byte may
  // commit 2 MiB: for buffers that are used whole.
  static std::optional<AddressRange> reserve(uint64_t bytes, bool huge_pages);

  std::byte* data() const { return data_; }
  uint64_t size() const { return size_; }

  // Gives the pages that lie wholly inside [begin, end) back to the system; they read as zero
  // afterwards.
  void give_back(uint64_t begin, uint64_t end) const;

 private:
  std::byte* data_ = nullptr;
  uint64_t size_ = 0;
};

}  // namespace phial
