// SPDX-License-Identifier: Apache-2.0
#include "onnxruntime/environment.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <map>

#include "backend/plugin_host.h"
#include "export/ort_genai/ort_genai.h"
#include "onnxruntime/library.h"
#include "package/writer.h"
#include "temp_folder.h"

namespace phial {
namespace {

// PHIAL_ORT_GENAI_LIB, or the environment that ./test.sh makes.
fs::path find_genai() {
  if (const char* named = std::getenv("PHIAL_ORT_GENAI_LIB")) return named;
  std::error_code ignored;
  const fs::path lib = fs::path(PHIAL_SOURCE_DIR) / ".venv" / "lib";
  for (fs::directory_iterator it(lib, ignored), end; !ignored && it != end; it.increment(ignored)) {
    const fs::path folder = it->path() / "site-packages" / "onnxruntime_genai";
    if (!ort::libraries_in(ort::Library::kGenai, folder).empty()) return folder;
  }
  return {};
}

class OnnxRuntime : public ::testing::Environment {
 public:
  void SetUp() override {
    const fs::path found = find_genai();
    if (found.empty())  // the words by which ctest knows a skipped case are printed for tests only
      GTEST_SKIP() << "[  SKIPPED ] "
                   << "no ONNX Runtime GenAI: set PHIAL_ORT_GENAI_LIB, or let ./test.sh install it "
                      "in .venv";
    ::setenv("PHIAL_ORT_GENAI_LIB", found.c_str(), 1);
  }
};

[[maybe_unused]] const auto* const kEnvironment =
    ::testing::AddGlobalTestEnvironment(new OnnxRuntime);

Json tiny_json(TinyKind kind) {
  constexpr int kPositions = 64;
  Json config = {{"architectures", {"Phi3ForCausalLM"}},
                 {"model_type", "phi3"},
                 {"vocab_size", 101},
                 {"hidden_size", 64},
                 {"intermediate_size", 160},
                 {"num_hidden_layers", 2},
                 {"num_attention_heads", 4},
                 {"num_key_value_heads", 2},
                 {"max_position_embeddings", kPositions},
                 {"original_max_position_embeddings", kPositions},
                 {"rms_norm_eps", 1e-5},
                 {"rope_theta", 10000.0},
                 {"rope_scaling", nullptr},
                 {"sliding_window", nullptr},
                 {"hidden_act", "silu"},
                 {"tie_word_embeddings", false},
                 {"bos_token_id", 1},
                 {"eos_token_id", 2},
                 {"torch_dtype", "float32"}};
  if (kind == TinyKind::kWindow) config["sliding_window"] = 5;
  if (kind == TinyKind::kLongRope) {
    config["original_max_position_embeddings"] = 16;
    Json shorter = Json::array(), longer = Json::array();
    for (int i = 0; i < 8; ++i) {
      shorter.push_back(1.0 + 0.02 * i);
      longer.push_back(1.1 + 0.6 * i);
    }
    config["rope_scaling"] = {
        {"type", "longrope"}, {"short_factor", shorter}, {"long_factor", longer}};
  }
  return config;
}

class WithSettings : public Backend {
 public:
  WithSettings(std::unique_ptr<Backend> inner, std::vector<std::string> settings)
      : inner_(std::move(inner)), settings_(std::move(settings)) {}
  std::string name() const override { return inner_->name(); }
  std::vector<Device> devices() const override { return inner_->devices(); }
  Verdict accepts(const Package& package, std::string_view device) const override {
    return inner_->accepts(package, device);
  }
  std::unique_ptr<Session> open(std::shared_ptr<const Package> package, std::string_view device,
                                const SessionOptions& options) const override {
    SessionOptions more = options;
    more.settings.insert(more.settings.begin(), settings_.begin(), settings_.end());
    return inner_->open(std::move(package), device, more);
  }

 private:
  std::unique_ptr<Backend> inner_;
  std::vector<std::string> settings_;
};

}  // namespace

std::shared_ptr<const Package> tiny_with_graph(TinyKind kind, const std::string& provider) {
  static TempFolder folder;
  static std::map<std::pair<TinyKind, std::string>, std::shared_ptr<const Package>> made;
  auto& package = made[{kind, provider}];
  if (!package) {
    const std::string name = fmt::format("{}-{}", static_cast<int>(kind), provider);
    const fs::path source = folder.path() / ("source-" + name);
    const fs::path destination = folder.path() / ("package-" + name);
    make_random_checkpoint(tiny_json(kind), source, 1, {}, "f32");
    OrtGenAiOptions genai;
    genai.provider = onnx_provider_from_name(provider);
    genai.required = true;
    QuantizeOptions options;
    options.recipe.precision = WeightPrecision::kFp16;
    options.artefacts = ort_genai_artefacts(genai);
    quantize(source, destination, options);
    package = Package::open(destination);
  }
  return package;
}

std::unique_ptr<Backend> onnxruntime_backend(std::vector<std::string> settings) {
  for (const PluginFile& file : find_plugins(plugin_folders()))
    if (file.name == "onnxruntime")
      return std::make_unique<WithSettings>(open_plugin(file, {}), std::move(settings));
  throw_error(Code::kNotFound, "the build has no plug-in phial_onnxruntime");
}

Tokens greedy(Session& session, const Tokens& prompt, size_t count) {
  Tokens reply, next = prompt;
  while (reply.size() < count) {
    const Logits logits = feed(session, 0, next, true);
    next = {static_cast<TokenId>(std::max_element(logits.begin(), logits.end()) - logits.begin())};
    reply.push_back(next[0]);
  }
  return reply;
}

}  // namespace phial
