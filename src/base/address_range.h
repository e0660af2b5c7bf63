// SPDX-License-Identifier: Apache-2.0
// Address space that is reserved at once and backed by memory only where it is touched: what lets a
// cache be laid out for the whole context and cost what was used of it.
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

  // nullopt if the system refuses. Page-aligned, all zero once committed. With `huge_pages`
  // touching one byte may take 2 MiB of memory: for buffers that are used whole.
  static std::optional<AddressRange> reserve(uint64_t bytes, bool huge_pages);

  std::byte* data() const { return data_; }
  uint64_t size() const { return size_; }

  // To be called before bytes of [begin, end) are touched, as often as one likes: Windows counts
  // what may be touched against the memory there is (POSIX systems don't, here). False if it
  // refuses.
  bool commit(uint64_t begin, uint64_t end) const;

  // Gives the pages that lie wholly inside [begin, end) back to the system. They read as zero once
  // they are committed again.
  void give_back(uint64_t begin, uint64_t end) const;

 private:
  std::byte* data_ = nullptr;
  uint64_t size_ = 0;
};

}  // namespace phial
