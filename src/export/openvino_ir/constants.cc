// SPDX-License-Identifier: Apache-2.0
#include "export/openvino_ir/constants.h"

#include <cstring>

#include "base/error.h"

namespace phial {
namespace {

// Of every constant in the block: more than the largest element needs, less than waste.
constexpr uint64_t kAlignment = 16;

}  // namespace

IrConstants::IrConstants(std::span<const std::byte> block, uint64_t offset)
    : collects_(false), block_(block), offset_(offset) {}

uint64_t IrConstants::place(std::span<const std::byte> bytes) {
  const std::string key(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  auto [it, is_new] = known_.try_emplace(key, 0);
  if (!is_new) return it->second;
  if (collects_) {
    collected_.resize((collected_.size() + kAlignment - 1) / kAlignment * kAlignment);
    it->second = collected_.size();
    collected_.insert(collected_.end(), bytes.begin(), bytes.end());
    return it->second;
  }
  for (uint64_t at = 0; at + bytes.size() <= block_.size(); at += kAlignment) {
    if (std::memcmp(block_.data() + at, bytes.data(), bytes.size()) == 0)
      return it->second = offset_ + at;
  }
  known_.erase(it);
  throw_error(
      Code::kNotFound,
      "the package's graph constants lack one of {} bytes: they are damaged or were made by "
      "another version of phial; make them again with 'phial export --to openvino'",
      bytes.size());
}

}  // namespace phial
