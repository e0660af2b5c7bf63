// SPDX-License-Identifier: Apache-2.0
// Reads the .npy files that the oracles write: little endian, C order, float32 ("<f4"), int32 and
// int64. Nothing else.
#pragma once

#include <cstdint>
#include <cstring>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <vector>

#include "base/file.h"

namespace phial {

template <class T>
struct Npy {
  std::vector<int64_t> shape;
  std::vector<T> data;
};

// T: float, int32_t or int64_t; throws std::runtime_error if the file holds something else.
template <class T>
Npy<T> read_npy(const std::filesystem::path& path) {
  const std::string bytes = read_file(path);
  auto fail = [&](const char* what) { throw std::runtime_error(path.string() + ": " + what); };
  if (bytes.size() < 10 || bytes.compare(0, 6, "\x93NUMPY") != 0) fail("not an .npy file");
  const bool version1 = bytes[6] == 1;
  uint32_t header_bytes = 0;
  std::memcpy(&header_bytes, &bytes[8], version1 ? 2 : 4);
  const size_t header_at = version1 ? 10 : 12;
  if (header_at + header_bytes > bytes.size()) fail("cut short");
  const std::string header = bytes.substr(header_at, header_bytes);

  const char* descr = std::is_same_v<T, float> ? "'<f4'" : sizeof(T) == 4 ? "'<i4'" : "'<i8'";
  if (header.find(descr) == std::string::npos) fail(("type isn't " + std::string(descr)).c_str());
  if (header.find("'fortran_order': False") == std::string::npos) fail("isn't in C order");

  Npy<T> out;
  size_t at = header.find("'shape': (");
  if (at == std::string::npos) fail("has no shape");
  at += std::strlen("'shape': (");
  size_t count = 1;
  while (at < header.size() && header[at] != ')') {
    if (header[at] < '0' || header[at] > '9') {
      ++at;
      continue;
    }
    size_t digits = 0;
    out.shape.push_back(std::stoll(header.substr(at), &digits));
    count *= static_cast<size_t>(out.shape.back());
    at += digits;
  }
  if (bytes.size() - header_at - header_bytes != count * sizeof(T))
    fail("size doesn't match its shape");
  out.data.resize(count);
  std::memcpy(out.data.data(), bytes.data() + header_at + header_bytes, count * sizeof(T));
  return out;
}

}  // namespace phial
