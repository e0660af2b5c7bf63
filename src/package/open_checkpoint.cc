// SPDX-License-Identifier: Apache-2.0
#include "package/open_checkpoint.h"

#include "checkpoint/checkpoint.h"
#include "model/checkpoint_weights.h"
#include "package/layout.h"

namespace phial {
namespace {

class CheckpointPackage final : public Package {
 public:
  explicit CheckpointPackage(const fs::path& folder) : checkpoint_(folder) {
    folder_ = folder;
    side_files_ = checkpoint_.side_files();
    config_ = parse_phi3_config(checkpoint_.config(), (folder / "config.json").string());
    weights_ = weights_from_checkpoint(checkpoint_, config_);
    weight_bytes_ = matrix_bytes(weights_, config_.tie_word_embeddings);
  }

 private:
  Checkpoint checkpoint_;  // keeps the mapped files that weights_ points into
};

}  // namespace

std::shared_ptr<const Package> open_checkpoint(const fs::path& folder) {
  return std::make_shared<CheckpointPackage>(folder);
}

}  // namespace phial
