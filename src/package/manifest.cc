// SPDX-License-Identifier: Apache-2.0
#include "package/manifest.h"

#include <algorithm>
#include <map>
#include <optional>

#include "base/error.h"
#include "package/package.h"
#include "package/sha256.h"

namespace phial {
namespace {

constexpr const char* kFormatName = "phial package";
// Artefacts up to this size are noted with a checksum: graphs and configurations.
constexpr uint64_t kMostHashed = 64 << 20;

Json extent_json(const Extent& e) { return Json::array({e.offset, e.bytes}); }

Json tensor_json(const StoredTensor& t) {
  Json json;
  json["name"] = t.name;
  json["role"] = role_name(t.role);
  if (t.layer >= 0) json["layer"] = t.layer;
  json["format"] = weight_format_name(t.shape.format);
  json["rows"] = t.shape.rows;
  json["cols"] = t.shape.cols;
  if (t.shape.group) json["group"] = t.shape.group;
  json["data"] = extent_json(t.data);
  if (t.scales.bytes) json["scales"] = extent_json(t.scales);
  // Said in so many words: a key that got lost must not turn an asymmetric tensor into a symmetric
  // one.
  if (t.zero_points.bytes)
    json["zero_points"] = extent_json(t.zero_points);
  else if (t.scales.bytes)
    json["zero_points"] = nullptr;
  return json;
}

struct Reader {
  const std::string& where;
  uint64_t file_bytes;
  std::vector<std::pair<Extent, std::string>> taken;

  // [offset, bytes], page-aligned and inside the file; of exactly `expected` bytes, if that is
  // given.
  Extent extent(const JsonView& json, const char* key, std::optional<uint64_t> expected = {}) {
    const Json& pair = json.at(key);
    if (!pair.is_array() || pair.size() != 2 || !pair[0].is_number_unsigned() ||
        !pair[1].is_number_unsigned())
      throw_error(Code::kCorrupt, "{}: '{}' must be [offset, bytes]", json.where(), key);
    const Extent e{pair[0].get<uint64_t>(), pair[1].get<uint64_t>()};
    if (expected && e.bytes != *expected)
      throw_error(Code::kCorrupt, "{}: '{}' has {} bytes, its shape and format take {}",
                  json.where(), key, e.bytes, *expected);
    if (e.offset % kTensorAlignment != 0)
      throw_error(Code::kCorrupt, "{}: '{}' is at {}, expected a multiple of {}", json.where(), key,
                  e.offset, kTensorAlignment);
    if (e.offset > file_bytes || e.bytes > file_bytes - e.offset)
      throw_error(Code::kCorrupt, "{}: '{}' ends at {}, {} has {} bytes", json.where(), key,
                  e.offset + e.bytes, kWeightsFile, file_bytes);
    taken.emplace_back(e, json.where());
    return e;
  }

  StoredTensor tensor(const Json& json, const TensorSpec& spec) {
    const JsonView view(json, where + ": tensor '" + spec.name + "'");
    StoredTensor t;
    t.name = spec.name;
    t.role = spec.role;
    t.layer = spec.layer;
    WeightMatrix& m = t.shape;
    Role role;
    if (!role_from_name(view.string("role"), role) || role != spec.role)
      throw_error(Code::kCorrupt, "{}: role is '{}', expected '{}'", view.where(),
                  view.string("role"), role_name(spec.role));
    if (view.integer_or("layer", -1, -1, INT32_MAX) != spec.layer)
      throw_error(Code::kCorrupt, "{}: layer is {}, expected {}", view.where(),
                  view.at("layer").dump(), spec.layer);
    if (!weight_format_from_name(view.string("format"), m.format))
      throw_error(Code::kUnsupported, "{}: format '{}' isn't known to this phial", view.where(),
                  view.string("format"));
    m.rows = view.integer("rows", 1, INT32_MAX);
    m.cols = view.integer("cols", 1, INT32_MAX);
    if (m.rows != spec.rows || m.cols != spec.cols)
      throw_error(Code::kCorrupt, "{}: is [{}, {}], config.json makes it [{}, {}]", view.where(),
                  m.rows, m.cols, spec.rows, spec.cols);
    if (is_norm(spec.role) && m.format != WeightFormat::kF32)
      throw_error(Code::kCorrupt, "{}: format is {}, norms are f32", view.where(),
                  weight_format_name(m.format));
    if (is_quantized(m.format)) {
      m.group = view.integer("group", 1, m.cols);
      if (m.cols % m.group != 0 || (m.format == WeightFormat::kU4 && m.group % 2 != 0) ||
          (m.format == WeightFormat::kU8 && m.group != m.cols))
        throw_error(Code::kCorrupt, "{}: group {} doesn't fit {} columns of {}", view.where(),
                    m.group, m.cols, weight_format_name(m.format));
    } else if (view.has("group") || view.has("scales") || view.has("zero_points")) {
      throw_error(Code::kCorrupt, "{}: format {} has no group, scales or zero points", view.where(),
                  weight_format_name(m.format));
    }
    t.data = extent(view, "data", m.data_bytes());
    if (is_quantized(m.format)) t.scales = extent(view, "scales", m.scale_bytes());
    if (is_quantized(m.format)) view.at("zero_points");  // null: symmetric
    if (view.has("zero_points")) t.zero_points = extent(view, "zero_points", m.zero_point_bytes());
    return t;
  }

  void check_overlap() {
    std::sort(taken.begin(), taken.end(),
              [](const auto& a, const auto& b) { return a.first.offset < b.first.offset; });
    for (size_t i = 1; i < taken.size(); ++i)
      if (taken[i - 1].first.offset + taken[i - 1].first.bytes > taken[i].first.offset)
        throw_error(Code::kCorrupt, "{} overlaps with {}", taken[i].second, taken[i - 1].second);
  }
};

}  // namespace

Json make_manifest(const Json& source, const QuantRecipe& recipe,
                   const std::vector<StoredTensor>& tensors, uint64_t weights_bytes) {
  Json json;
  json["format"] = kFormatName;
  json["format_version"] = kPackageFormatVersion;
  json["phial_version"] = PHIAL_VERSION;
  json["source"] = source;
  json["recipe"] = recipe.to_json();
  json["artefacts"] =
      Json::array({Json{{"file", kWeightsFile}, {"kind", "weights"}, {"bytes", weights_bytes}}});
  Json list = Json::array();
  for (const StoredTensor& t : tensors) list.push_back(tensor_json(t));
  json["weights"] = Json{{"file", kWeightsFile},
                         {"bytes", weights_bytes},
                         {"alignment", kTensorAlignment},
                         {"tensors", std::move(list)}};
  return json;
}

void set_graph_constants(Json& manifest, const Extent& graph_constants, uint64_t weights_bytes) {
  Json& weights = manifest["weights"];
  weights["bytes"] = weights_bytes;
  Json tensors = std::move(weights["tensors"]);  // stays the last key: it is the long one
  weights.erase("tensors");
  weights["graph_constants"] = extent_json(graph_constants);
  weights["tensors"] = std::move(tensors);
  for (Json& artefact : manifest["artefacts"])
    if (artefact.is_object() && artefact.value("file", Json()) == kWeightsFile)
      artefact["bytes"] = weights_bytes;
}

void set_artefacts(Json& manifest, const std::string& kind, const fs::path& folder,
                   const std::vector<std::string>& files) {
  Json kept = Json::array();
  if (manifest.contains("artefacts"))
    for (const Json& artefact : manifest["artefacts"])
      if (!artefact.is_object() || artefact.value("kind", Json()) != kind) kept.push_back(artefact);
  for (const std::string& file : files) {
    const MappedFile mapped(folder / file);
    Json entry = {{"file", file}, {"kind", kind}, {"bytes", mapped.bytes().size()}};
    if (mapped.bytes().size() <= kMostHashed) {
      Sha256 hash;
      hash.add(mapped.bytes());
      entry["sha256"] = hash.hex();
    }
    kept.push_back(std::move(entry));
  }
  manifest["artefacts"] = std::move(kept);
}

ManifestContents read_manifest(const Json& manifest, const std::string& where,
                               const Phi3Config& config, uint64_t file_bytes) {
  const JsonView top(manifest, where);
  if (top.string("format") != kFormatName)
    throw_error(Code::kCorrupt, "{}: 'format' is '{}', expected '{}'", where, top.string("format"),
                kFormatName);
  const int64_t version = top.integer("format_version", 1, INT32_MAX);
  if (version != kPackageFormatVersion)
    throw_error(
        Code::kUnsupported,
        "{}: format version {} was written by a newer phial ({}); this is {} and reads version {}",
        where, version, top.string_or("phial_version", "unknown"), PHIAL_VERSION,
        kPackageFormatVersion);
  manifest_recipe(manifest, where);
  if (top.has("source")) top.object("source");
  if (top.has("artefacts") && !top.at("artefacts").is_array())
    throw_error(Code::kCorrupt, "{}: 'artefacts' must be a list", where);
  const JsonView weights = top.object("weights");
  if (weights.string("file") != kWeightsFile)
    throw_error(Code::kCorrupt, "{}: 'file' is '{}', expected '{}'", weights.where(),
                weights.string("file"), kWeightsFile);
  const uint64_t bytes = static_cast<uint64_t>(weights.integer("bytes", 0, INT64_MAX));
  if (bytes > file_bytes)
    throw_error(Code::kCorrupt,
                "{}: {} should have {} bytes, found {}; the copy is incomplete or damaged",
                weights.where(), kWeightsFile, bytes, file_bytes);
  const Json& list = weights.at("tensors");
  if (!list.is_array())
    throw_error(Code::kCorrupt, "{}: 'tensors' must be a list", weights.where());
  std::map<std::string, const Json*> by_name;
  for (const Json& entry : list) {
    const JsonView view(entry, where + ": an entry of 'tensors'");
    if (!by_name.emplace(view.string("name"), &entry).second)
      throw_error(Code::kCorrupt, "{}: tensor '{}' is listed twice", where, view.string("name"));
  }
  ManifestContents contents;
  contents.weights_bytes = bytes;
  Reader reader{where, bytes, {}};
  for (const TensorSpec& spec : tensor_specs(config)) {
    auto it = by_name.find(spec.name);
    if (it == by_name.end())
      throw_error(Code::kCorrupt, "{}: tensor '{}' is missing", where, spec.name);
    contents.tensors.push_back(reader.tensor(*it->second, spec));
    by_name.erase(it);
  }
  if (!by_name.empty())
    throw_error(Code::kCorrupt,
                "{}: tensor '{}' doesn't belong to the model that config.json describes", where,
                by_name.begin()->first);
  if (weights.has("graph_constants"))
    contents.graph_constants = reader.extent(weights, "graph_constants");
  reader.check_overlap();
  return contents;
}

QuantRecipe manifest_recipe(const Json& manifest, const std::string& where) {
  const JsonView top(manifest, where);
  return QuantRecipe::from_json(top.object("recipe"));
}

}  // namespace phial
