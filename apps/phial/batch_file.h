// SPDX-License-Identifier: Apache-2.0
// A file of lines that only ever grows, and that one process alone may write.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace cli {

class LineFile {
 public:
  // Opens or creates it, and locks it until the end of this process. Throws Failure.
  explicit LineFile(const std::string& path);
  ~LineFile();
  LineFile(const LineFile&) = delete;
  LineFile& operator=(const LineFile&) = delete;

  void cut(uint64_t size);             // what is behind that is gone
  void append(std::string_view text);  // in one go, as far as the system allows
  void to_disk();                      // what was appended outlives a power cut

 private:
  [[noreturn]] void fail(const char* what) const;

  std::string path_;
  intptr_t handle_ = -1;
};

}  // namespace cli
