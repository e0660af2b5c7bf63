// SPDX-License-Identifier: Apache-2.0
// The table of `phial ps`, which `phial top` shows as well.
#pragma once

#include <string>

#include "statistics.h"

namespace cli {

std::string processes_table(const Json& processes);

}  // namespace cli
