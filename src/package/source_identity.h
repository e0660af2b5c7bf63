// SPDX-License-Identifier: Apache-2.0
// What a manifest records of the checkpoint that a package was made from: names, sizes and a hash
// of samples.
#pragma once

#include "base/json.h"
#include "checkpoint/checkpoint.h"

namespace phial {

Json describe_source(const Checkpoint& checkpoint);

}  // namespace phial
