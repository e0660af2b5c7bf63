// SPDX-License-Identifier: Apache-2.0
// git's name of a file's content: SHA-1 (FIPS 180-4) of "blob <size>", a zero byte and the content.
// Against accidents; SHA-1 holds nobody back who means harm.
#pragma once

#include <cstddef>
#include <span>
#include <string>

namespace phial {

std::string git_blob_name(std::span<const std::byte> content);

}  // namespace phial
