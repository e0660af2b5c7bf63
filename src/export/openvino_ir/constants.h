// SPDX-License-Identifier: Apache-2.0
// The constants of a graph that aren't weights (axes, shapes, frequencies, ...), in one block of
// the weights file. Either laid down one after the other, or looked up in a block that lies there
// already. Internal to openvino_ir/.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

namespace phial {

class IrConstants {
 public:
  // Collects: offsets count from the block's begin.
  IrConstants() = default;
  // Looks up in `block`, which lies at `offset` in the weights file.
  IrConstants(std::span<const std::byte> block, uint64_t offset);

  // Where in the weights file these bytes lie. Throws kNotFound if a given block hasn't got them.
  uint64_t place(std::span<const std::byte> bytes);

  const std::vector<std::byte>& collected() const { return collected_; }

 private:
  bool collects_ = true;
  std::vector<std::byte> collected_;
  std::span<const std::byte> block_;
  uint64_t offset_ = 0;
  std::map<std::string, uint64_t> known_;  // bytes -> where
};

}  // namespace phial
