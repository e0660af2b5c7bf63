// SPDX-License-Identifier: Apache-2.0
#include "base/error.h"

namespace phial {

const char* code_name(Code code) {
  switch (code) {
    case Code::kInvalidArgument:
      return "invalid argument";
    case Code::kNotFound:
      return "not found";
    case Code::kCorrupt:
      return "corrupt";
    case Code::kUnsupported:
      return "unsupported";
    case Code::kIo:
      return "input/output error";
    case Code::kOutOfMemory:
      return "out of memory";
    case Code::kContextFull:
      return "context full";
    case Code::kCancelled:
      return "cancelled";
    case Code::kInternal:
      return "internal error";
  }
  return "unknown";
}

void assert_failed(const char* expression, const char* file, int line) {
  throw_error(Code::kInternal, "internal error: {} doesn't hold at {}:{}; please report it",
              expression, file, line);
}

}  // namespace phial
