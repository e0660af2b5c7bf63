// SPDX-License-Identifier: Apache-2.0
// Windows places threads by the classes of its cores; phial leaves that alone.
#include "base/affinity.h"

namespace phial {

Affinity Affinity::of_this_thread() { return {}; }
void Affinity::apply() const {}

}  // namespace phial
