// SPDX-License-Identifier: Apache-2.0
// The one symbol that each aarch64 object exports. Null entries are taken from the tier below by
// dispatch.cc.
#pragma once

#include "kernels/kernels.h"

namespace phial::kernels {

extern const KernelTable kNeonDotprodTable, kNeonI8mmTable;

}  // namespace phial::kernels
