// SPDX-License-Identifier: Apache-2.0
// The one exception type of phial. What an ordinary "no" is (a missing optional key, a device that
// can't run a package) is not an Error: those are std::optional, bool or Verdict.
#pragma once

#include <fmt/format.h>

#include <stdexcept>
#include <string>
#include <utility>

namespace phial {

enum class Code {
  kInvalidArgument = 1,  // the caller asked for something that can't be meant
  kNotFound = 2,         // a file, folder, tensor or key isn't there
  kCorrupt = 3,          // outside bytes that break their own format
  kUnsupported = 4,      // well formed, but phial can't do it
  kIo = 5,               // the operating system refused: full disk, no permission
  kOutOfMemory = 6,
  kContextFull = 7,  // the prompt or the conversation is longer than the context
  kCancelled = 8,    // the caller's interrupt said stop
  kInternal = 9,     // our own mistake
};

// "invalid argument", "not found", ...
const char* code_name(Code code);

// The message is one sentence: what, where, found, expected and, where there is one, what to do.
class Error : public std::runtime_error {
 public:
  Error(Code code, const std::string& message) : std::runtime_error(message), code_(code) {}
  Code code() const { return code_; }

 private:
  Code code_;
};

// throw_error(Code::kCorrupt, "{}: tensor '{}' ends at {}, file has {} bytes", ...)
template <class... Args>
[[noreturn]] void throw_error(Code code, fmt::format_string<Args...> format, Args&&... args) {
  throw Error(code, fmt::format(format, std::forward<Args>(args)...));
}

[[noreturn]] void assert_failed(const char* expression, const char* file, int line);

// For our own mistakes only. __FILE_NAME__: a program's bytes don't depend on where it was built.
#define PHIAL_ASSERT(expression) \
  ((expression) ? void(0) : ::phial::assert_failed(#expression, __FILE_NAME__, __LINE__))

}  // namespace phial
