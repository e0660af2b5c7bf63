// SPDX-License-Identifier: Apache-2.0
// The weights of a Phi-3 as a checkpoint holds them, by role. Matrices are views of the mapped
// files; nothing is copied but the norms.
#pragma once

#include "checkpoint/checkpoint.h"
#include "model/phi3_weights.h"

namespace phial {

// `checkpoint` must outlive the result. Matrices are f32, f16 or bf16 as stored (each by itself;
// mixtures are fine) and their data need not be aligned. With tied embeddings lm_head is the
// embedding even if the checkpoint stores another one, as in transformers. Throws kNotFound for a
// missing tensor, kCorrupt for a shape that the configuration doesn't lead to, kUnsupported for
// another type; all name the tensor.
Phi3Weights weights_from_checkpoint(const Checkpoint& checkpoint, const Phi3Config& config);

}  // namespace phial
