// SPDX-License-Identifier: Apache-2.0
#include <sys/mman.h>
#include <unistd.h>

#include <utility>

#include "base/address_range.h"

namespace phial {

AddressRange::~AddressRange() {
  if (data_) ::munmap(data_, size_);
}

AddressRange::AddressRange(AddressRange&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}

AddressRange& AddressRange::operator=(AddressRange&& other) noexcept {
  std::swap(data_, other.data_);
  std::swap(size_, other.size_);
  return *this;
}

std::optional<AddressRange> AddressRange::reserve(uint64_t bytes, bool huge_pages) {
  AddressRange range;
  if (bytes == 0) return range;
  if (bytes > (uint64_t{1} << 56))
    return std::nullopt;  // beyond any address space; also keeps size_t safe
  void* data = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (data == MAP_FAILED) return std::nullopt;
  range.data_ = static_cast<std::byte*>(data);
  range.size_ = bytes;
#ifdef MADV_HUGEPAGE
  ::madvise(data, bytes, huge_pages ? MADV_HUGEPAGE : MADV_NOHUGEPAGE);  // a hint: may fail
#endif
  return range;
}

bool AddressRange::commit(uint64_t, uint64_t) const { return true; }

void AddressRange::give_back(uint64_t begin, uint64_t end) const {
  const uint64_t page = static_cast<uint64_t>(::sysconf(_SC_PAGESIZE));
  begin = (begin + page - 1) / page * page;
  // A range to the very end takes the last page with it; nothing else lives there.
  end = end >= size_ ? (size_ + page - 1) / page * page : end / page * page;
  if (begin < end) ::madvise(data_ + begin, end - begin, MADV_DONTNEED);
}

}  // namespace phial
