// SPDX-License-Identifier: Apache-2.0
// Random weights in memory, laid out as the weights file would be: an engine reads them at the
// speed of real ones. Their spread is that of a fresh model, so activations stay finite; what it
// says is noise.
#include <algorithm>
#include <cstring>
#include <vector>

#include "base/address_range.h"
#include "base/error.h"
#include "base/rng.h"
#include "base/thread_pool.h"
#include "package/layout.h"
#include "package/package.h"
#include "quant/assign.h"
#include "tensor/half.h"

namespace phial {
namespace {

constexpr float kDeviation = 0.02f;  // of the weights
constexpr uint64_t kBlockBytes = 1u << 20;
// Standard deviation of a uniform code: sqrt((n^2 - 1) / 12) steps for n levels.
constexpr float kSteps4 = 4.6098f, kSteps8 = 73.9f;

// Huge pages: fewer page faults and TLB misses.
AddressRange memory_for(uint64_t bytes) {
  auto range = AddressRange::reserve(bytes, true);
  if (!range || !range->commit(0, bytes))
    throw_error(Code::kOutOfMemory, "synthetic weights need {} MB of memory", bytes / 1000000);
  return std::move(*range);
}

// 1 MiB of random bits, made once; a block is these xor a word of its own, which goes at the speed
// of memory.
using Pool = std::vector<uint64_t>;

Pool random_pool(uint64_t seed) {
  Rng rng(seed);
  Pool pool(kBlockBytes / sizeof(uint64_t));
  for (uint64_t& x : pool) x = rng.next();
  return pool;
}

// f16 bits become either sign, uniform in magnitude between 2^-6 and 2^-5 (mean square 0.0241^2):
// no arithmetic needed.
constexpr uint64_t kF16Keep = 0x83FF83FF83FF83FF, kF16Exponent = 0x2400240024002400;

void fill_bits(const Pool& pool, uint64_t word, bool f16, std::byte* out, uint64_t bytes) {
  const uint64_t keep = f16 ? kF16Keep : ~uint64_t{0}, set = f16 ? kF16Exponent : 0;
  uint64_t i = 0;
  for (; i < bytes / 8; ++i) {
    const uint64_t x = ((pool[i] ^ word) & keep) | set;
    std::memcpy(out + 8 * i, &x, 8);
  }
  const uint64_t x = (word & keep) | set;
  std::memcpy(out + 8 * i, &x, bytes % 8);
}

// Scales within a quarter of one value. A u4 code's mean is 7.5, half a step below its zero point:
// symmetric scales have either sign, as real ones do, so that no matrix gets a bias; with zero
// points those are 7 or 8.
void fill_scales(Rng& rng, const StoredTensor& t, uint16_t* out) {
  const bool u4 = t.shape.format == WeightFormat::kU4, symmetric = t.zero_points.bytes == 0;
  const float unit = kDeviation / (u4 ? kSteps4 : kSteps8);
  for (uint64_t i = 0; i < t.scales.bytes / 2; ++i) {
    const uint64_t x = rng.next();
    const float scale = unit * (0.75f + 0.5f * static_cast<float>(x >> 40) * 0x1p-24f);
    out[i] = f32_to_f16(symmetric && u4 && (x & 1) ? -scale : scale);
  }
}

void fill_zero_points(Rng& rng, const StoredTensor& t, uint8_t* out) {
  for (uint64_t i = 0; i < t.zero_points.bytes; ++i) {
    const uint64_t x = rng.next();
    out[i] = t.shape.format == WeightFormat::kU4
                 ? static_cast<uint8_t>((7 + (x & 1)) | (7 + (x >> 1 & 1)) << 4)
                 : static_cast<uint8_t>(127 + (x & 1));
  }
}

void fill(const std::vector<StoredTensor>& tensors, std::byte* base, uint64_t seed) {
  struct Block {
    size_t tensor;
    uint64_t offset, bytes;  // inside the tensor's data
  };
  std::vector<Block> blocks;
  for (size_t i = 0; i < tensors.size(); ++i)
    for (uint64_t at = 0; at < tensors[i].data.bytes; at += kBlockBytes)
      blocks.push_back({i, at, std::min(kBlockBytes, tensors[i].data.bytes - at)});
  const Pool pool = random_pool(seed);
  ThreadPool threads;
  threads.parallel_for(static_cast<int64_t>(blocks.size()), [&](int64_t chunk, int) {
    const Block& block = blocks[static_cast<size_t>(chunk)];
    const StoredTensor& t = tensors[block.tensor];
    Rng rng((seed << 40) ^ static_cast<uint64_t>(chunk));
    std::byte* out = base + t.data.offset + block.offset;
    if (is_norm(t.role))
      std::fill_n(reinterpret_cast<float*>(out), block.bytes / sizeof(float), 1.0f);
    else
      fill_bits(pool, rng.next(), t.shape.format == WeightFormat::kF16, out, block.bytes);
    if (block.offset != 0) return;  // scales and zero points once, with the first block
    if (t.scales.bytes) fill_scales(rng, t, reinterpret_cast<uint16_t*>(base + t.scales.offset));
    if (t.zero_points.bytes)
      fill_zero_points(rng, t, reinterpret_cast<uint8_t*>(base + t.zero_points.offset));
  });
}

class SyntheticPackage final : public Package {
 public:
  SyntheticPackage(const Phi3Config& config, const Json& json,
                   const std::vector<StoredTensor>& tensors, uint64_t bytes, uint64_t seed)
      : buffer_(memory_for(bytes)) {
    config_ = config;
    side_files_.config = json;
    fill(tensors, buffer_.data(), seed);
    bind_weights(tensors, buffer_.data(), config_, weights_);
    weight_bytes_ = matrix_bytes(weights_, config_.tie_word_embeddings);
  }

 private:
  AddressRange buffer_;
};

}  // namespace

std::shared_ptr<const Package> Package::synthetic(const std::string& shape,
                                                  const QuantRecipe& recipe, int32_t layers,
                                                  uint64_t seed) {
  Json json = known_shape_config(shape);
  if (layers > 0) json["num_hidden_layers"] = layers;
  json = parse_json(json.dump(), shape);  // numbers of the kinds that a file's have
  const Phi3Config config = parse_phi3_config(json, "the configuration of " + shape);
  const std::vector<TensorSpec> specs = tensor_specs(config);
  std::vector<float>
      errors;  // random, so that a ratio spreads its 4-bit layers as it does over random weights
  Rng rng(seed);
  if (needs_errors(recipe)) errors.resize(ratio_defining(specs, recipe).size());
  for (float& e : errors) e = static_cast<float>(rng.uniform());
  uint64_t bytes = 0;
  const std::vector<StoredTensor> tensors =
      plan_layout(assign_schemes(specs, recipe, errors), bytes);
  return std::make_shared<SyntheticPackage>(config, json, tensors, bytes, seed);
}

}  // namespace phial
