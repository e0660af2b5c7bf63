// SPDX-License-Identifier: Apache-2.0
// Opening what `phial quantize` wrote, and describing any package. Hugging Face folders:
// open_checkpoint.cc.
#include "package/package.h"

#include <map>

#include "base/error.h"
#include "package/layout.h"
#include "package/manifest.h"
#include "package/open_checkpoint.h"

namespace phial {
namespace {

class PackageFolder final : public Package {
 public:
  explicit PackageFolder(const fs::path& folder) {
    folder_ = folder;
    const fs::path manifest_file = folder / kManifestFile;
    manifest_ = read_json(manifest_file);
    side_files_ = read_side_files(folder);
    if (side_files_.config.is_null())
      throw_error(Code::kNotFound, "{}: config.json is missing; a package has one beside {}",
                  folder.string(), kManifestFile);
    config_ = parse_phi3_config(side_files_.config, (folder / "config.json").string());
    file_ = MappedFile(folder / kWeightsFile);
    ManifestContents contents =
        read_manifest(manifest_, manifest_file.string(), config_, file_.size());
    stored_ = {std::move(contents.tensors), contents.graph_constants,
               file_.bytes().first(contents.weights_bytes),
               manifest_recipe(manifest_, manifest_file.string())};
    bind_weights(stored_.tensors, file_.data(), config_, weights_);
    weight_bytes_ = matrix_bytes(weights_, config_.tie_word_embeddings);
  }

 private:
  MappedFile file_;
};

Json format_json(uint64_t count, const WeightMatrix& m, uint64_t bytes, uint64_t parameters) {
  Json json;
  json["format"] = weight_format_name(m.format);
  json["matrices"] = count;
  if (m.group) json["group"] = m.group;
  if (is_quantized(m.format)) json["zero_points"] = m.zero_points != nullptr;
  json["parameters"] = parameters;
  json["bytes"] = bytes;
  json["bits_per_weight"] =
      parameters ? 8.0 * static_cast<double>(bytes) / static_cast<double>(parameters) : 0.0;
  return json;
}

// Formats by role: {"qkv": [{"format": "u4", "matrices": 20, ...}, {"format": "u8", ...}], ...}
Json formats_by_role(const Phi3Weights& weights, bool tied) {
  Json json = Json::object();
  auto add = [&json](Role role, const std::vector<const WeightMatrix*>& matrices) {
    struct Sum {
      const WeightMatrix* first;
      uint64_t count = 0, bytes = 0, parameters = 0;
    };
    std::map<std::pair<WeightFormat, bool>, Sum> sums;
    for (const WeightMatrix* m : matrices) {
      Sum& s = sums.try_emplace({m->format, m->zero_points != nullptr}, Sum{m}).first->second;
      ++s.count;
      s.bytes += m->total_bytes();
      s.parameters += static_cast<uint64_t>(m->rows) * static_cast<uint64_t>(m->cols);
    }
    Json list = Json::array();
    for (const auto& [key, s] : sums)
      list.push_back(format_json(s.count, *s.first, s.bytes, s.parameters));
    json[role_name(role)] = std::move(list);
  };
  std::vector<const WeightMatrix*> qkv, o, gate_up, down;
  for (const Phi3Layer& l : weights.layers) {
    qkv.push_back(&l.qkv);
    o.push_back(&l.o);
    gate_up.push_back(&l.gate_up);
    down.push_back(&l.down);
  }
  add(Role::kEmbedding, {&weights.embedding});
  add(Role::kQkv, qkv);
  add(Role::kO, o);
  add(Role::kGateUp, gate_up);
  add(Role::kDown, down);
  if (!tied) add(Role::kLmHead, {&weights.lm_head});
  return json;
}

Json files_json(const fs::path& folder) {
  Json files = Json::array();
  std::error_code ignored;
  std::map<std::string, uint64_t> sorted;
  for (const auto& entry : fs::directory_iterator(folder, ignored))
    if (entry.is_regular_file(ignored))
      sorted[entry.path().filename().string()] = entry.file_size(ignored);
  for (const auto& [name, bytes] : sorted) files.push_back(Json{{"file", name}, {"bytes", bytes}});
  return files;
}

}  // namespace

std::shared_ptr<const Package> Package::open(const fs::path& folder) {
  std::error_code ignored;
  if (!fs::is_directory(folder, ignored))
    throw_error(Code::kNotFound,
                "{}: no such folder; expected a package or a Hugging Face model folder",
                folder.string());
  if (fs::exists(folder / kManifestFile, ignored)) return std::make_shared<PackageFolder>(folder);
  return open_checkpoint(folder);
}

std::string Package::name() const {
  if (folder_.empty()) return "synthetic";
  const fs::path folder = folder_.has_filename() ? folder_ : folder_.parent_path();
  const std::string last = folder.filename().string(),
                    above = folder.parent_path().filename().string();
  const bool is_tag = last == "int4" || last == "int8" || last == "fp16";
  if (!is_tag || above.empty() || !quantized_by_phial()) return last;
  const size_t dashes = above.find("--");
  return fmt::format("{}:{}",
                     dashes == std::string::npos
                         ? above
                         : above.substr(0, dashes) + "/" + above.substr(dashes + 2),
                     last);
}

Json Package::describe() const {
  const Phi3Config& c = config_;
  Json json;
  json["name"] = name();
  json["folder"] = folder_.string();
  json["kind"] = folder_.empty() ? "synthetic" : quantized_by_phial() ? "package" : "checkpoint";
  json["model_type"] = "phi3";
  json["parameters"] = c.parameters();
  json["layers"] = c.n_layers;
  json["hidden_size"] = c.hidden_size;
  json["intermediate_size"] = c.intermediate_size;
  json["heads"] = c.n_heads;
  json["kv_heads"] = c.n_kv_heads;
  json["head_dim"] = c.head_dim;
  json["rotary_dim"] = c.rotary_dim;
  json["vocab_size"] = c.vocab_size;
  json["context_length"] = c.max_positions;
  json["original_context_length"] = c.original_max_positions;
  json["longrope"] = c.longrope.has_value();
  json["sliding_window"] = c.sliding_window;
  json["tied_embeddings"] = c.tie_word_embeddings;
  json["kv_bytes_per_token_f16"] = c.kv_bytes_per_token(2);
  if (quantized_by_phial()) {
    json["recipe"] = manifest_["recipe"];
    if (manifest_.contains("source")) json["source"] = manifest_["source"];
    json["artefacts"] = manifest_.value("artefacts", Json::array());
    json["quality"] = manifest_.contains("quality") ? manifest_["quality"] : Json();
  } else {
    json["torch_dtype"] = c.torch_dtype;
  }
  json["formats"] = formats_by_role(weights_, c.tie_word_embeddings);
  json["weight_bytes"] = weight_bytes_;
  json["bits_per_weight"] =
      8.0 * static_cast<double>(weight_bytes_) / static_cast<double>(c.parameters());
  std::error_code ignored;
  json["tokenizer"] = !folder_.empty() && fs::exists(folder_ / "tokenizer.json", ignored);
  json["chat_template"] = !side_files_.chat_template.empty();
  if (!folder_.empty()) json["files"] = files_json(folder_);
  return json;
}

}  // namespace phial
