// SPDX-License-Identifier: Apache-2.0
// Damaged packages: every field of phial.json wrong in every way must be refused with a sentence,
// or not matter.
#include "package/manifest.h"

#include <gtest/gtest.h>

#include <functional>

#include "small_model.h"

namespace phial {
namespace {

class ManifestTest : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = temp_.path() / "package";
    quantize_small(small_checkpoint(temp_), folder_, recipe_of(WeightPrecision::kInt4, false, 64));
    good_ = read_json(folder_ / kManifestFile);
  }

  std::string open_with(const Json& manifest) {
    temp_.write("package/phial.json", manifest.dump());
    return error_of([this] { Package::open(folder_); });
  }

  std::string open_with(const std::function<void(Json&)>& change) {
    Json manifest = good_;
    change(manifest);
    return open_with(manifest);
  }

  static Json& tensor(Json& manifest, const std::string& name) {
    for (Json& t : manifest["weights"]["tensors"])
      if (t["name"] == name) return t;
    throw std::runtime_error("no tensor " + name);
  }

  TempFolder temp_;
  fs::path folder_;
  Json good_;
};

constexpr const char* kQkv = "model.layers.1.self_attn.qkv_proj.weight";

TEST_F(ManifestTest, TheGoodOneOpens) { EXPECT_EQ(open_with(good_), "none"); }

TEST_F(ManifestTest, NewerFormatIsUnsupported) {
  const std::string error = open_with([](Json& m) {
    m["format_version"] = 2;
    m["phial_version"] = "9.9";
  });
  EXPECT_TRUE(contains(error, "unsupported: ")) << error;
  EXPECT_TRUE(contains(error, "format version 2 was written by a newer phial (9.9)")) << error;
}

TEST_F(ManifestTest, SpecificDamageIsNamed) {
  struct Case {
    const char* expected;
    std::function<void(Json&)> change;
  };
  const Case cases[] = {
      {"tensor 'model.layers.1.self_attn.qkv_proj.weight' is missing",
       [](Json& m) {
         Json& list = m["weights"]["tensors"];
         for (size_t i = 0; i < list.size(); ++i)
           if (list[i]["name"] == kQkv) list.erase(i);
       }},
      {"listed twice", [](Json& m) { m["weights"]["tensors"].push_back(tensor(m, kQkv)); }},
      {"doesn't belong",
       [](Json& m) {
         m["weights"]["tensors"].push_back(tensor(m, kQkv));
         m["weights"]["tensors"].back()["name"] = "model.layers.7.x";
       }},
      {"role is 'o', expected 'qkv'", [](Json& m) { tensor(m, kQkv)["role"] = "o"; }},
      {"layer is 0, expected 1", [](Json& m) { tensor(m, kQkv)["layer"] = 0; }},
      {"format 'u3' isn't known", [](Json& m) { tensor(m, kQkv)["format"] = "u3"; }},
      {"config.json makes it [256, 128]", [](Json& m) { tensor(m, kQkv)["rows"] = 257; }},
      {"group 48 doesn't fit", [](Json& m) { tensor(m, kQkv)["group"] = 48; }},
      {"'data' has 16383 bytes", [](Json& m) { tensor(m, kQkv)["data"][1] = 16383; }},
      {"expected a multiple of 4096", [](Json& m) { tensor(m, kQkv)["data"][0] = 4097; }},
      {"'scales' ends at", [](Json& m) { tensor(m, kQkv)["scales"][0] = uint64_t{4096} << 40; }},
      {"'scales' ends at", [](Json& m) { tensor(m, kQkv)["scales"][0] = UINT64_MAX - 4095; }},
      {"overlaps with", [](Json& m) { tensor(m, kQkv)["scales"][0] = tensor(m, kQkv)["data"][0]; }},
      {"must be [offset, bytes]",
       [](Json& m) { tensor(m, kQkv)["data"] = Json::array({-4096, 16384}); }},
      {"key 'scales' is missing", [](Json& m) { tensor(m, kQkv).erase("scales"); }},
      {"norms are f32", [](Json& m) { tensor(m, "model.norm.weight")["format"] = "f16"; }},
      {"has no group", [](Json& m) { tensor(m, "model.norm.weight")["group"] = 128; }},
      {"ends at", [](Json& m) { m["weights"]["bytes"] = 1; }},
      {"the copy is incomplete",
       [](Json& m) { m["weights"]["bytes"] = m["weights"]["bytes"].get<uint64_t>() + 4096; }},
      {"expected 'openvino_model.bin'", [](Json& m) { m["weights"]["file"] = "../other.bin"; }},
      {"expected 'phial package'", [](Json& m) { m["format"] = "gguf"; }},
      {"'recipe' is missing", [](Json& m) { m.erase("recipe"); }},
  };
  for (const Case& c : cases) {
    const std::string error = open_with(c.change);
    EXPECT_TRUE(contains(error, c.expected)) << c.expected << " / " << error;
    EXPECT_TRUE(contains(error, "corrupt: ") || contains(error, "unsupported: ")) << error;
  }
}

// Each value of the manifest in turn becomes each of these. What only informs may be anything; the
// rest must be refused.
TEST_F(ManifestTest, EveryFieldIsChecked) {
  const Json wrong[] = {nullptr,        "x", -1, uint64_t{1} << 60, 0.5, Json::array(),
                        Json::object(), true};
  const std::vector<std::string> free = {"/phial_version", "/source", "/artefacts",
                                         "/weights/alignment", "/recipe"};
  int refused = 0;
  const Json leaves = good_.flatten();
  for (const auto& [path, value] : leaves.items()) {
    const size_t layer_0 = path.find("/tensors/");  // its tensors are as layer 1's: entries 1 to 6
    if (layer_0 != std::string::npos && path[layer_0 + 9] >= '1' && path[layer_0 + 9] <= '6' &&
        path[layer_0 + 10] == '/')
      continue;
    const bool may_be_anything =
        std::any_of(free.begin(), free.end(),
                    [&path = path](const std::string& f) { return path.rfind(f, 0) == 0; });
    for (const Json& w : wrong) {
      Json manifest = good_;
      manifest[Json::json_pointer(path)] = w;
      if (manifest == good_) continue;
      const std::string error = open_with(manifest);
      const bool optional_absent = w.is_null() && path.find("/zero_points") != std::string::npos;
      if (!may_be_anything && !optional_absent) {
        EXPECT_NE(error, "none") << path << " = " << w.dump();
      }
      if (error != "none") {
        ++refused;
        EXPECT_TRUE(contains(error, "corrupt: ") || contains(error, "unsupported: "))
            << path << " = " << w.dump() << ": " << error;
      }
    }
  }
  EXPECT_GT(refused, 500);
}

// Without zero points an asymmetric tensor would open as a symmetric one and answer nonsense.
TEST_F(ManifestTest, ALostZeroPointKeyIsRefused) {
  int tried = 0;
  for (size_t i = 0; i < good_["weights"]["tensors"].size(); ++i) {
    Json manifest = good_;
    if (!manifest["weights"]["tensors"][i].erase("zero_points")) continue;
    ++tried;
    const std::string error = open_with(manifest);
    EXPECT_TRUE(contains(error, "corrupt: ") && contains(error, "'zero_points' is missing"))
        << error;
  }
  EXPECT_GT(tried, 0);
}

TEST_F(ManifestTest, TruncatedWeightsAreRefused) {
  const uint64_t size = fs::file_size(folder_ / kWeightsFile);
  for (uint64_t n : {uint64_t{0}, uint64_t{4096}, size - 1}) {
    fs::resize_file(folder_ / kWeightsFile, n);
    EXPECT_TRUE(contains(error_of([this] { Package::open(folder_); }), "incomplete or damaged"))
        << n;
  }
  // An export that was killed has grown the file and not yet the manifest.
  fs::resize_file(folder_ / kWeightsFile, size + 1);
  EXPECT_NO_THROW(Package::open(folder_));
}

TEST_F(ManifestTest, CutAnywhereItIsCorrupt) {
  const std::string text = good_.dump(1);
  for (size_t n = 0; n < text.size(); n += 97) {
    temp_.write("package/phial.json", text.substr(0, n));
    EXPECT_TRUE(contains(error_of([this] { Package::open(folder_); }), "corrupt: ")) << n;
  }
}

TEST_F(ManifestTest, ConfigThatDoesNotMatchIsRefused) {
  for (auto [key, value] : {std::pair("num_hidden_layers", 1),
                            {"num_hidden_layers", 3},
                            {"intermediate_size", 128},
                            {"vocab_size", 351}}) {
    Json config = small_config();
    config[key] = value;
    temp_.write("package/config.json", config.dump());
    EXPECT_NE(error_of([this] { Package::open(folder_); }), "none") << key;
  }
}

}  // namespace
}  // namespace phial
