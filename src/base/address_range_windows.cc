// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <utility>

#include "base/address_range.h"
#include "base/windows_api.h"

namespace phial {
namespace {

constexpr uint64_t kPage = 4096;

}  // namespace

AddressRange::~AddressRange() {
  if (data_) VirtualFree(data_, 0, MEM_RELEASE);
}

AddressRange::AddressRange(AddressRange&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}

AddressRange& AddressRange::operator=(AddressRange&& other) noexcept {
  std::swap(data_, other.data_);
  std::swap(size_, other.size_);
  return *this;
}

// Large pages need a privilege that few users have.
std::optional<AddressRange> AddressRange::reserve(uint64_t bytes, bool /*huge_pages*/) {
  AddressRange range;
  if (bytes == 0) return range;
  void* data = VirtualAlloc(nullptr, bytes, MEM_RESERVE, PAGE_READWRITE);
  if (!data) return std::nullopt;
  range.data_ = static_cast<std::byte*>(data);
  range.size_ = bytes;
  return range;
}

bool AddressRange::commit(uint64_t begin, uint64_t end) const {
  end = std::min(end, size_);
  return begin >= end || VirtualAlloc(data_ + begin, end - begin, MEM_COMMIT, PAGE_READWRITE);
}

void AddressRange::give_back(uint64_t begin, uint64_t end) const {
  begin = (begin + kPage - 1) / kPage * kPage;
  // A range to the very end takes the last page with it; nothing else lives there.
  end = end >= size_ ? (size_ + kPage - 1) / kPage * kPage : end / kPage * kPage;
  if (begin < end) VirtualFree(data_ + begin, end - begin, MEM_DECOMMIT);
}

}  // namespace phial
