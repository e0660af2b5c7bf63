// SPDX-License-Identifier: Apache-2.0
// Windows has no device nodes.
#include "machine/root.h"

namespace phial {

std::optional<NodeOwner> system_owner(const fs::path&) { return std::nullopt; }
std::optional<bool> system_may_use(const fs::path&) { return std::nullopt; }

}  // namespace phial
