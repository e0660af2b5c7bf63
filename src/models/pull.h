// SPDX-License-Identifier: Apache-2.0
// From a hub into the models folder: downloads what is needed of a repository and quantizes it
// while later parts still arrive. What came is kept when it is interrupted, and the next pull goes
// on from there; a package appears only when it is whole and the checksums are right.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "models/hub.h"
#include "models/store.h"
#include "package/artefacts.h"
#include "quant/recipe.h"

namespace phial {

struct PullProgress {
  bool downloading;      // else the rest of the quantizing
  uint64_t done, total;  // bytes of the download, or of the source
  uint64_t kept;         // of the download: came in an earlier try
  std::string what;      // "microsoft/Phi-3-mini-4k-instruct"
};

struct PullOptions {
  QuantRecipe recipe;  // its precision is that of the name's tag, if it has one
  int32_t threads = 0;
  int connections = 4;
  bool keep = false;  // the original files too, in <models>/<name>/original
  std::vector<ArtefactMaker> artefacts;
  std::function<void(const PullProgress&)> progress;  // by any thread, one at a time
  std::function<bool()> interrupt;                    // by any thread
};

struct Pulled {
  StoredModel model;
  bool was_there = false;
};

// Two processes that pull the same: the second waits, and finds it there. Throws what Hub, Download
// and quantize() throw.
Pulled pull(const ModelStore& store, const Hub& hub, const ModelName& name,
            const PullOptions& options);

}  // namespace phial
