// SPDX-License-Identifier: Apache-2.0
// The one symbol that each x86 object exports. Null entries are taken from the tier below by
// dispatch.cc.
#pragma once

#include "kernels/kernels.h"

namespace phial::kernels {

extern const KernelTable kAvx2Table;
extern const KernelTable kAvx2VnniTable;
extern const KernelTable kAvx512VnniTable;
extern const KernelTable kAmxTable;

}  // namespace phial::kernels
