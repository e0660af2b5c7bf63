// SPDX-License-Identifier: Apache-2.0
// The rt_info of a model: what plugins and tools read about how its weights were compressed.
// Internal to openvino_ir/.
#pragma once

#include <string>

#include "quant/recipe.h"

namespace phial {

// XML, the content of the rt_info element.
std::string ir_runtime_info(const QuantRecipe& recipe);

}  // namespace phial
