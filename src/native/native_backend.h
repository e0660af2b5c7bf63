// SPDX-License-Identifier: Apache-2.0
// phial's own CPU engine as a Backend: device "cpu". The forward pass is in native_session.cc.
#pragma once

#include <memory>

#include "backend/backend.h"

namespace phial {

std::unique_ptr<Backend> make_native_backend();

}  // namespace phial
