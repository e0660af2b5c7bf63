// SPDX-License-Identifier: Apache-2.0
#include "graph.h"

#include <algorithm>
#include <cctype>

#include "base/error.h"
#include "package/sha256.h"

namespace phial::ort {
namespace {

constexpr const char* kConfigFile = "genai_config.json";
// How `phial export --to ort-genai` notes its files in the manifest, and calls its graphs.
constexpr const char* kArtefactKind = "onnx";

const char* file_for(Provider provider) {
  return provider == Provider::kDml    ? "model_dml.onnx"
         : provider == Provider::kCuda ? "model_cuda.onnx"
                                       : "model.onnx";
}

std::string export_command(const Package& package, Provider provider) {
  if (provider == Provider::kUnknown) provider = Provider::kCpu;
  return fmt::format("phial export {} --to ort-genai --ep {}", package.folder().string(),
                     provider_name(provider));
}

std::string text_of(const Json& object, const char* key) {
  return object.contains(key) && object[key].is_string() ? object[key].get<std::string>() : "";
}

// The exporter's files as the manifest knows them.
class Files {
 public:
  Files(const Package& package, std::string command)
      : folder_(package.folder()), command_(std::move(command)) {
    for (const Json& artefact : package.manifest().value("artefacts", Json::array()))
      if (artefact.is_object() && text_of(artefact, "kind") == kArtefactKind)
        files_.push_back(artefact);
    if (files_.empty())
      throw_error(Code::kNotFound, "the package has no ONNX graph: make it with '{}'", command_);
  }

  bool has(const std::string& name) const {
    return std::any_of(files_.begin(), files_.end(),
                       [&](const Json& file) { return text_of(file, "file") == name; });
  }

  // The file is as it was written. One that the manifest doesn't know is only looked for.
  void check(const std::string& name) const {
    std::error_code failed;
    const fs::path path = folder_ / name;
    if (name.empty() || fs::path(name).has_parent_path())
      throw_error(Code::kCorrupt, "{}: '{}' is no name of a file in it: make it anew with '{}'",
                  folder_.string(), name, command_);
    if (!fs::is_regular_file(path, failed))
      throw_error(Code::kNotFound, "{}: isn't there: make it anew with '{}'", path.string(),
                  command_);
    for (const Json& file : files_) {
      if (text_of(file, "file") != name) continue;
      const MappedFile mapped(path);
      const Json bytes = file.value("bytes", Json());
      if (bytes.is_number_unsigned() && bytes != mapped.size())
        throw_error(Code::kCorrupt,
                    "{}: has {} bytes, {} were written: the file is damaged; make it anew with "
                    "'{}'",
                    path.string(), mapped.size(), bytes.get<uint64_t>(), command_);
      const std::string sha256 = text_of(file, "sha256");
      Sha256 hash;
      if (!sha256.empty()) hash.add(mapped.bytes());
      if (!sha256.empty() && hash.hex() != sha256)
        throw_error(Code::kCorrupt,
                    "{}: isn't what was written (its checksum differs): the file is damaged or "
                    "was edited; make it anew with '{}'",
                    path.string(), command_);
    }
  }

  // Weights beside the package's own, which an exporter may add.
  void check_data() const {
    for (const Json& file : files_) {
      const std::string name = text_of(file, "file");
      if (!name.ends_with(".onnx") && name != kConfigFile) check(name);
    }
  }

 private:
  const fs::path folder_;
  const std::string command_;
  std::vector<Json> files_;
};

// The provider of model.decoder.session_options.provider_options, which is how the official builder
// and `phial export` say what the graph is for; none is the CPU.
Provider provider_of(const Json& config) {
  static const Json::json_pointer kWhere("/model/decoder/session_options/provider_options");
  if (!config.contains(kWhere) || !config[kWhere].is_array()) return Provider::kCpu;
  for (const Json& one : config[kWhere]) {
    if (!one.is_object() || one.empty()) continue;
    std::string name = one.begin().key();
    for (char& c : name) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    for (const Provider provider : {Provider::kCpu, Provider::kDml, Provider::kCuda})
      if (name == provider_name(provider)) return provider;
    return Provider::kUnknown;
  }
  return Provider::kCpu;
}

}  // namespace

Graph inspect_graph(const Package& package, Provider wanted, bool any_graph) {
  const std::string command = export_command(package, wanted);
  const Files files(package, command);
  files.check(kConfigFile);
  const fs::path path = package.folder() / kConfigFile;
  const Json config = Json::parse(read_file(path), nullptr, false);
  const Json model = config.is_object() ? config.value("model", Json()) : Json();
  const Json decoder = model.is_object() ? model.value("decoder", Json()) : Json();
  if (!decoder.is_object())
    throw_error(Code::kCorrupt,
                "{}: isn't a configuration of ONNX Runtime GenAI: make it anew with '{}'",
                path.string(), command);
  const Phi3Config& phi3 = package.config();
  if (model.value("vocab_size", Json()) != phi3.vocab_size)
    throw_error(Code::kCorrupt,
                "{}: is for a vocabulary of {}, the package has {}: make it anew with '{}'",
                path.string(), model.value("vocab_size", Json()).dump(), phi3.vocab_size, command);

  Graph graph{package.folder().string(),
              text_of(decoder, "filename"),
              provider_of(config),
              phi3.max_positions,
              {}};
  if (!any_graph && graph.made_for != wanted && graph.file != file_for(wanted) &&
      files.has(file_for(wanted))) {
    graph.file = file_for(wanted);
    graph.made_for = wanted;
  }
  if (graph.made_for != wanted && !any_graph)
    throw_error(Code::kUnsupported,
                "the package's ONNX graph is for {}, not for {}: make one with '{}'",
                provider_name(graph.made_for), provider_name(wanted), command);
  files.check(graph.file);
  files.check_data();
  // DirectML's attention has no window: beyond one it would compute another model.
  const bool windowed = phi3.sliding_window > 0 && phi3.sliding_window < phi3.max_positions;
  if (windowed && graph.made_for == Provider::kDml) graph.context = phi3.sliding_window;
  const Json pad = model.value("pad_token_id", Json());
  if (pad.is_number_integer()) graph.pad_id = pad.get<int32_t>();
  const Json stop = model.value("eos_token_id", Json());
  for (const Json& id : stop.is_array() ? stop : Json::array({stop}))
    if (id.is_number_integer()) graph.stop_ids.push_back(id.get<int32_t>());
  return graph;
}

}  // namespace phial::ort
