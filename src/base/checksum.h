// SPDX-License-Identifier: Apache-2.0
// A checksum against damage (not against malice), at the speed of reading. Written into files: its
// values never change.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace phial {

uint64_t checksum(std::span<const std::byte> bytes);

}  // namespace phial
