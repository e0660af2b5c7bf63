// SPDX-License-Identifier: Apache-2.0
// Random checkpoints in the published layout. Every row has its own seed, so the bytes don't depend
// on the threads.
#include <algorithm>
#include <vector>

#include "base/error.h"
#include "base/rng.h"
#include "base/thread_pool.h"
#include "base/write_beside.h"
#include "checkpoint/safetensors.h"
#include "checkpoint/side_files.h"
#include "model/phi3_weights.h"
#include "package/writer.h"
#include "tensor/half.h"

namespace phial {
namespace {

constexpr uint64_t kShardBytes = 4'000'000'000;  // about what published shards have
constexpr uint64_t kBlockBytes = 4u << 20;
constexpr float kDeviation = 0.02f;  // initializer_range of every published config

struct Element {
  DType type;
  const char* torch_name;
};

Element element_of(const std::string& name) {
  if (name == "bf16" || name == "bfloat16") return {DType::kBF16, "bfloat16"};
  if (name == "f16" || name == "fp16" || name == "float16") return {DType::kF16, "float16"};
  if (name == "f32" || name == "fp32" || name == "float32") return {DType::kF32, "float32"};
  throw_error(Code::kInvalidArgument, "element type '{}' isn't known; expected bf16, f16 or f32",
              name);
}

struct Shard {
  std::string name;
  std::vector<size_t> tensors;  // positions in specs
  uint64_t bytes = 0;
};

Shape shape_of(const TensorSpec& spec) {
  return is_norm(spec.role) ? Shape{spec.cols} : Shape{spec.rows, spec.cols};
}

std::vector<Shard> plan_shards(const std::vector<TensorSpec>& specs, DType type) {
  std::vector<Shard> shards(1);
  for (size_t i = 0; i < specs.size(); ++i) {
    const uint64_t bytes = static_cast<uint64_t>(specs[i].rows * specs[i].cols) * dtype_bytes(type);
    if (shards.back().bytes && shards.back().bytes + bytes > kShardBytes) shards.emplace_back();
    shards.back().tensors.push_back(i);
    shards.back().bytes += bytes;
  }
  for (size_t i = 0; i < shards.size(); ++i)
    shards[i].name = shards.size() == 1
                         ? "model.safetensors"
                         : fmt::format("model-{:05}-of-{:05}.safetensors", i + 1, shards.size());
  return shards;
}

// One row of a tensor as the bytes of its element type.
void random_row(const TensorSpec& spec, uint64_t seed, DType type, std::byte* out) {
  Rng rng(seed);
  const bool norm = is_norm(spec.role);
  for (int64_t c = 0; c < spec.cols; ++c) {
    const float x =
        norm ? 1.0f + 0.1f * static_cast<float>(rng.uniform() - 0.5) : kDeviation * rng.normal();
    const uint16_t half = type == DType::kBF16  ? f32_to_bf16(x)
                          : type == DType::kF16 ? f32_to_f16(x)
                                                : uint16_t{0};
    if (type == DType::kF32)
      std::copy_n(reinterpret_cast<const std::byte*>(&x), 4, out + 4 * c);
    else
      std::copy_n(reinterpret_cast<const std::byte*>(&half), 2, out + 2 * c);
  }
}

void write_shard(const fs::path& path, const Shard& shard, const std::vector<TensorSpec>& specs,
                 DType type, uint64_t seed, ThreadPool& pool) {
  std::vector<SafetensorsEntry> entries;
  for (size_t i : shard.tensors) entries.push_back({specs[i].name, type, shape_of(specs[i])});
  FileWriter file(path);
  file.write(safetensors_header(entries, Json{{"format", "pt"}}));
  uint64_t offset = file.position();
  std::vector<std::vector<std::byte>> buffers(static_cast<size_t>(pool.size()));
  for (size_t i : shard.tensors) {
    const TensorSpec& spec = specs[i];
    const uint64_t row_bytes = static_cast<uint64_t>(spec.cols) * dtype_bytes(type);
    const int64_t block =
        std::clamp<int64_t>(static_cast<int64_t>(kBlockBytes / row_bytes), 1, spec.rows);
    pool.parallel_for((spec.rows + block - 1) / block, [&](int64_t chunk, int thread) {
      std::vector<std::byte>& buffer = buffers[static_cast<size_t>(thread)];
      const int64_t begin = chunk * block, end = std::min(spec.rows, begin + block);
      buffer.resize(static_cast<size_t>(end - begin) * row_bytes);
      for (int64_t row = begin; row < end; ++row)
        random_row(spec,
                   (seed << 48) ^ (static_cast<uint64_t>(i) << 24) ^ static_cast<uint64_t>(row),
                   type, buffer.data() + static_cast<uint64_t>(row - begin) * row_bytes);
      file.write_at(offset + static_cast<uint64_t>(begin) * row_bytes, buffer);
    });
    offset += static_cast<uint64_t>(spec.rows) * row_bytes;
  }
  file.finish();
}

void write_text(const fs::path& path, const std::string& text) {
  FileWriter file(path);
  file.write(text);
  file.finish();
}

void write_index(const fs::path& path, const std::vector<Shard>& shards,
                 const std::vector<TensorSpec>& specs) {
  Json map = Json::object();
  uint64_t total = 0;
  for (const Shard& shard : shards) {
    total += shard.bytes;
    for (size_t i : shard.tensors) map[specs[i].name] = shard.name;
  }
  write_text(
      path,
      Json{{"metadata", {{"total_size", total}}}, {"weight_map", std::move(map)}}.dump(2) + "\n");
}

Json generation_config(const Json& config) {
  Json json{{"_from_model_config", true}};
  for (const char* key : {"bos_token_id", "eos_token_id", "pad_token_id"})
    if (config.contains(key)) json[key] = config[key];
  return json;
}

}  // namespace

void make_random_checkpoint(const Json& config, const fs::path& destination, uint64_t seed,
                            const fs::path& tokenizer_from, const std::string& dtype) {
  const Element element = element_of(dtype);
  Json written =
      parse_json(config.dump(), "the configuration");  // numbers of the kinds that a file's have
  written["torch_dtype"] = element.torch_name;
  const std::vector<TensorSpec> specs =
      tensor_specs(parse_phi3_config(written, "the configuration"));
  const std::vector<Shard> shards = plan_shards(specs, element.type);
  FolderBeside folder(destination);
  ThreadPool pool;
  for (const Shard& shard : shards)
    write_shard(folder.path() / shard.name, shard, specs, element.type, seed, pool);
  if (shards.size() > 1) write_index(folder.path() / "model.safetensors.index.json", shards, specs);
  write_text(folder.path() / "generation_config.json", generation_config(config).dump(2) + "\n");
  if (!tokenizer_from.empty())
    for (const std::string& name : side_file_names(tokenizer_from))
      if (name != "config.json") write_text(folder.path() / name, read_file(tokenizer_from / name));
  write_text(folder.path() / "config.json", written.dump(2) + "\n");
  folder.commit();
}

}  // namespace phial
