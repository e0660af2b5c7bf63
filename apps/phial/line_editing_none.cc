// SPDX-License-Identifier: Apache-2.0
// A build without a library for line editing.
#include "line_reader.h"

namespace cli {

std::unique_ptr<LineReader> make_editing_reader(const std::string& /*history_file*/) {
  return nullptr;
}

}  // namespace cli
