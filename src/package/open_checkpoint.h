// SPDX-License-Identifier: Apache-2.0
// A Hugging Face folder run as it is, unquantized. Internal to package/.
#pragma once

#include <memory>

#include "package/package.h"

namespace phial {

std::shared_ptr<const Package> open_checkpoint(const fs::path& folder);

}  // namespace phial
