// SPDX-License-Identifier: Apache-2.0
// What every engine must refuse before it changes anything.
#pragma once

#include <cstdint>
#include <functional>
#include <span>

#include "backend/session.h"

namespace phial {

// `length` tells how long a sequence is, -1 if it isn't open; `open` are open now. `model_context`
// is what the model could hold at most. Throws kInvalidArgument, kContextFull.
void check_batch(std::span<const Step> batch, const Limits& limits,
                 const std::function<int32_t(SequenceId)>& length, size_t open,
                 int32_t model_context);

}  // namespace phial
