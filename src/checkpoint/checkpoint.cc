// SPDX-License-Identifier: Apache-2.0
// One file is taken before an index, as transformers does. Shards are named by the index alone:
// what the index doesn't mention isn't part of the model.
#include "checkpoint/checkpoint.h"

#include <set>

#include "base/error.h"

namespace phial {
namespace {

constexpr const char* kSingle = "model.safetensors";
constexpr const char* kIndex = "model.safetensors.index.json";
constexpr uint64_t kMaxIndex = 4u << 20;  // a real one has 20 to 100 KB

bool is_there(const fs::path& path) {
  std::error_code ignored;
  return fs::exists(path, ignored);
}

void check_folder(const fs::path& folder) {
  std::error_code ignored;
  const fs::file_status status = fs::status(folder, ignored);
  if (!fs::exists(status))
    throw_error(Code::kNotFound, "{}: there is no such folder", folder.string());
  if (!fs::is_directory(status))
    throw_error(Code::kInvalidArgument,
                "{}: is a file; give the folder that holds config.json and the weights",
                folder.string());
}

// A plain name of a file in the same folder: an index must not make us open anything elsewhere.
bool is_plain_name(const std::string& name) {
  return !name.empty() && name != "." && name != ".." && name.find('/') == std::string::npos &&
         name.find('\\') == std::string::npos && name.find(':') == std::string::npos &&
         name.find('\0') == std::string::npos;
}

// tensor -> shard, as the index says.
std::map<std::string, std::string> read_index(const fs::path& path) {
  const Json index = parse_json(read_file(path, kMaxIndex), path.string());
  const JsonView map = JsonView(index, path.string()).object("weight_map");
  std::map<std::string, std::string> shard_of;
  for (const auto& [tensor, shard] : map.json().items()) {
    if (!shard.is_string())
      throw_error(Code::kCorrupt, "{}: the shard of tensor '{}' must be a string, found {}",
                  path.string(), tensor, shard.type_name());
    if (!is_plain_name(shard.get<std::string>()))
      throw_error(
          Code::kCorrupt,
          "{}: the shard of tensor '{}' is '{}', expected the name of a file in the same folder",
          path.string(), tensor, shard.get<std::string>());
    shard_of[tensor] = shard.get<std::string>();
  }
  if (shard_of.empty())
    throw_error(Code::kCorrupt, "{}: 'weight_map' names no tensor", path.string());
  return shard_of;
}

[[noreturn]] void throw_no_weights(const fs::path& folder) {
  if (is_there(folder / "pytorch_model.bin") || is_there(folder / "pytorch_model.bin.index.json"))
    throw_error(Code::kUnsupported,
                "{}: has only pytorch_model.bin, which phial doesn't read (it is a pickled "
                "program); convert it once with "
                "transformers: model.save_pretrained(folder, safe_serialization=True)",
                folder.string());
  if (is_there(folder / "adapter_model.safetensors"))
    throw_error(Code::kUnsupported,
                "{}: holds an adapter, not a model; merge it into its base model first",
                folder.string());
  for (const fs::directory_entry& entry : fs::directory_iterator(folder))
    if (entry.path().filename().string().rfind("model-00001-of-", 0) == 0)
      throw_error(Code::kNotFound, "{}: has shards ({}) but no {}, which says what is where",
                  folder.string(), entry.path().filename().string(), kIndex);
  throw_error(Code::kNotFound, "{}: no weights; looked for {} and {}", folder.string(), kSingle,
              kIndex);
}

}  // namespace

Checkpoint::Checkpoint(const fs::path& folder) : folder_(folder) {
  check_folder(folder);
  side_files_ = read_side_files(folder);
  config_ = side_files_.config;
  if (config_.is_null())
    throw_error(Code::kNotFound, "{}: no config.json; is this the folder of a Hugging Face model?",
                folder.string());

  if (is_there(folder / kSingle)) {
    files_.push_back(std::make_unique<Safetensors>(folder / kSingle));
    tensors_ = files_.back()->tensors();
    return;
  }
  if (!is_there(folder / kIndex)) throw_no_weights(folder);

  const auto shard_of = read_index(folder / kIndex);
  std::set<std::string> shards;
  for (const auto& [tensor, shard] : shard_of) shards.insert(shard);
  std::string missing;
  for (const std::string& shard : shards)
    if (!is_there(folder / shard)) missing += (missing.empty() ? "" : ", ") + shard;
  if (!missing.empty())
    throw_error(Code::kNotFound, "{}: {} names {} shards, missing: {}", folder.string(), kIndex,
                shards.size(), missing);

  std::map<std::string, const Safetensors*> opened;
  for (const std::string& shard : shards) {
    files_.push_back(std::make_unique<Safetensors>(folder / shard));
    opened[shard] = files_.back().get();
  }
  for (const auto& [tensor, shard] : shard_of) {
    const Safetensors& file = *opened[shard];
    if (auto it = file.tensors().find(tensor); it != file.tensors().end())
      tensors_.emplace(tensor, it->second);
    else if (file.other_types().count(tensor) == 0)
      throw_error(Code::kCorrupt, "{}: tensor '{}' isn't in it, but {} says so",
                  (folder / shard).string(), tensor, kIndex);
  }
}

const TensorView& Checkpoint::tensor(const std::string& name) const {
  if (auto it = tensors_.find(name); it != tensors_.end()) return it->second;
  for (const auto& file : files_)
    if (auto it = file->other_types().find(name); it != file->other_types().end())
      throw_error(
          Code::kUnsupported,
          "{}: tensor '{}' is of type {}, which phial doesn't read (F32, F16 and BF16 it does)",
          file->file().path().string(), name, it->second);
  std::string names;
  for (const auto& file : files_)
    names += (names.empty() ? "" : ", ") + file->file().path().filename().string();
  throw_error(Code::kNotFound, "{}: no tensor '{}' in {}", folder_.string(), name, names);
}

uint64_t Checkpoint::weight_bytes() const {
  uint64_t bytes = 0;
  for (const auto& [name, tensor] : tensors_) bytes += tensor.bytes();
  return bytes;
}

}  // namespace phial
