// SPDX-License-Identifier: Apache-2.0
// The weights' pages, before the first step needs them.
#pragma once

#include "base/thread_pool.h"
#include "model/phi3_weights.h"

namespace phial {

// All threads map what a token reads, if it is in memory (base/file.h, map_resident); what has to
// be read from a disk is left to the first step, which works meanwhile. Not the embedding: a token
// reads one row of it.
void map_weights(const Phi3Weights& weights, ThreadPool& pool);

}  // namespace phial
