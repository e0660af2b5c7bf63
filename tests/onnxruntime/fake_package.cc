// SPDX-License-Identifier: Apache-2.0
#include "onnxruntime/fake_package.h"

#include <fstream>

#include "onnxruntime/fake_folder.h"
#include "onnxruntime/library.h"
#include "package/writer.h"

namespace phial {
namespace {

std::shared_ptr<const Package> make(const fs::path& folder, const std::string& provider,
                                    const std::vector<std::string>& graphs, int32_t positions,
                                    bool longrope) {
  Json config = {{"architectures", {"Phi3ForCausalLM"}},
                 {"model_type", "phi3"},
                 {"vocab_size", 101},
                 {"hidden_size", 64},
                 {"intermediate_size", 64},
                 {"num_hidden_layers", 1},
                 {"num_attention_heads", 4},
                 {"num_key_value_heads", 2},
                 {"max_position_embeddings", positions},
                 {"original_max_position_embeddings", longrope ? 16 : positions},
                 {"rms_norm_eps", 1e-5},
                 {"rope_theta", 10000.0},
                 {"rope_scaling", nullptr},
                 {"sliding_window", nullptr},
                 {"hidden_act", "silu"},
                 {"tie_word_embeddings", false},
                 {"bos_token_id", 1},
                 {"eos_token_id", 2},
                 {"torch_dtype", "float32"}};
  if (longrope)
    config["rope_scaling"] = {{"type", "longrope"},
                              {"short_factor", std::vector<double>(8, 1.0)},
                              {"long_factor", std::vector<double>(8, 2.0)}};
  const fs::path source = folder.string() + "-source";
  make_random_checkpoint(config, source, 1, {}, "f32");
  QuantizeOptions options;
  options.recipe.precision = WeightPrecision::kFp16;
  options.overwrite = true;
  options.artefacts = {{"onnx", {}, [&](const PackageParts& parts) {
                          Json providers = Json::array();
                          if (provider != "cpu")
                            providers.push_back(Json{{provider, Json::object()}});
                          const Json genai = {
                              {"model",
                               {{"type", "phi3"},
                                {"vocab_size", 101},
                                {"eos_token_id", {2}},
                                {"decoder",
                                 {{"filename", graphs.front()},
                                  {"session_options", {{"provider_options", providers}}}}}}}};
                          std::ofstream(parts.folder / "genai_config.json") << genai.dump();
                          std::vector<std::string> files = graphs;
                          for (const std::string& graph : graphs)
                            std::ofstream(parts.folder / graph) << "a graph: " << graph;
                          files.push_back("genai_config.json");
                          return files;
                        }}};
  quantize(source, folder, options);
  return Package::open(folder);
}

}  // namespace

std::shared_ptr<const Package> fake_package(const fs::path& folder, const std::string& provider,
                                            const std::vector<std::string>& graphs,
                                            int32_t positions) {
  return make(folder, provider, graphs, positions, false);
}

std::shared_ptr<const Package> fake_longrope_package(const fs::path& folder) {
  return make(folder, "cpu", {"model.onnx"}, 64, true);
}

std::string fake_folder(const std::string& folder) {
  return fake_package(folder)->folder().string();
}

std::vector<std::string> fake_runtime() {
  return {"onnxruntime.library=" + std::string(PHIAL_FAKES) + "/good"};
}

std::unique_ptr<Session> open_fake(std::shared_ptr<const Package> package,
                                   const std::string& device, SessionOptions options,
                                   const std::vector<std::string>& settings) {
  std::vector<std::string> all = fake_runtime();
  all.insert(all.end(), settings.begin(), settings.end());
  const ort::Settings parsed = ort::parse_settings(all);
  return std::make_unique<ort::OrtSession>(ort::onnxruntime(parsed.libraries), std::move(package),
                                           ort::to_target(device), options, parsed);
}

}  // namespace phial
