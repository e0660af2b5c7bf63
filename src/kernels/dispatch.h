// SPDX-License-Identifier: Apache-2.0
// Which kernels run: the tiers in a visible list, lowest first, and the choice among them.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "kernels/kernels.h"

namespace phial::kernels {

struct Tier {
  std::string name;
  bool built;           // compiled into this binary
  bool runs_here;       // this CPU and system allow it
  std::string why_not;  // empty if it runs
};

// All tiers that phial knows, lowest first.
std::vector<Tier> tiers();

// The merged table of a tier. Throws kInvalidArgument for an unknown name, kUnsupported if it can't
// run here.
const KernelTable& table(std::string_view tier);

// The best tier that runs here, or the one that PHIAL_ISA names (throws as table() does: it never
// falls back in silence). The choice is made once, at the first call.
const KernelTable& best();

}  // namespace phial::kernels
