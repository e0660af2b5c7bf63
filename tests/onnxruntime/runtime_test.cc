// SPDX-License-Identifier: Apache-2.0
// What the suite of every backend doesn't ask of the real runtime: names, DirectML's graph, damaged
// graphs that pass phial's own checks.
#include <gtest/gtest.h>

#include <fstream>

#include "base/rng.h"
#include "base/write_beside.h"
#include "conformance/tiny_model.h"
#include "expect_error.h"
#include "onnxruntime/environment.h"
#include "temp_folder.h"

namespace phial {
namespace {

const Tokens kPrompt = {5, 17, 3, 44, 90, 12, 7};

SessionOptions one_thread(std::vector<std::string> settings = {}) {
  SessionOptions options;
  options.threads = 1;
  options.settings = std::move(settings);
  return options;
}

std::unique_ptr<Session> open(std::shared_ptr<const Package> package,
                              std::vector<std::string> settings = {}) {
  return onnxruntime_backend()->open(std::move(package), "onnxruntime:cpu",
                                     one_thread(std::move(settings)));
}

TEST(onnxruntime, the_cpu_is_there_and_accepts) {
  const auto backend = onnxruntime_backend();
  const auto devices = backend->devices();
  ASSERT_FALSE(devices.empty());
  EXPECT_EQ(devices[0].id, "onnxruntime:cpu");
  EXPECT_EQ(devices[0].why_not, "");
  const auto package = tiny_with_graph(TinyKind::kPlain);
  EXPECT_GT(backend->accepts(*package, "onnxruntime:cpu").rank, 0);
  const std::string tier = open(package)->tier();
  EXPECT_TRUE(tier.starts_with("ONNX Runtime 1.")) << tier;
  EXPECT_TRUE(tier.ends_with(" on CPU")) << tier;
}

// DirectML's graph on the CPU's provider, fed as DirectML must be: a prompt, then single tokens.
TEST(onnxruntime, directmls_graph_says_what_the_cpus_says) {
  for (const TinyKind kind : {TinyKind::kPlain, TinyKind::kLongRope}) {
    const auto cpu = open(tiny_with_graph(kind));
    const auto dml =
        open(tiny_with_graph(kind, "dml"), {"onnxruntime.any-graph=yes", "onnxruntime.append=no"});
    for (const int32_t length : {1, 2, 7, 15, 16, 17, 30}) {
      cpu->release(0);
      dml->release(0);
      const Tokens prompt = tiny_tokens(tiny_config(), length);
      Tokens next = prompt;
      for (int i = 0; i < 12; ++i) {  // over LongRoPE's limit for some
        const Logits expected = feed(*cpu, 0, next, true);
        EXPECT_LE(relative_distance(feed(*dml, 0, next, true), expected), 1e-2)
            << "prompt of " << length << ", token " << i;
        next = {static_cast<TokenId>(std::max_element(expected.begin(), expected.end()) -
                                     expected.begin())};
      }
    }
  }
}

TEST(onnxruntime, settings_that_the_runtime_does_not_know_are_one_sentence) {
  expect_error(Code::kUnsupported, {"no_such_option"}, [] {
    open(tiny_with_graph(TinyKind::kPlain), {"onnxruntime.session.no_such_option=1"});
  });
  expect_error(Code::kInvalidArgument, {"CPU provider has no options"},
               [] { open(tiny_with_graph(TinyKind::kPlain), {"onnxruntime.provider.x=1"}); });
}

// GenAI 0.18 gives the wrong row of logits for a run that ends with the padding token.
TEST(onnxruntime, a_prompt_that_ends_with_the_padding_token) {
  const auto package = tiny_with_graph(TinyKind::kPlain);
  const Json config = Json::parse(read_file(package->folder() / "genai_config.json"));
  const TokenId pad = config["model"]["pad_token_id"];
  Tokens prompt = kPrompt;
  prompt.push_back(pad);
  const auto whole = open(package), pieces = open(package);
  const Logits expected = [&] {
    feed(*pieces, 0, kPrompt, true);
    return feed(*pieces, 0, Tokens{pad}, true);
  }();
  EXPECT_LE(relative_distance(feed(*whole, 0, prompt, true), expected), 1e-4);
}

TEST(onnxruntime, a_damaged_graph_is_refused_by_its_checksum) {
  const TempFolder temp;
  const fs::path folder = temp.path() / "package";
  fs::copy(tiny_with_graph(TinyKind::kPlain)->folder(), folder, fs::copy_options::recursive);
  const std::string whole = read_file(folder / "model.onnx");
  const auto backend = onnxruntime_backend();
  Rng rng(3);
  for (int round = 0; round < 30; ++round) {
    std::string damaged = whole;
    for (int i = 0; i < 3; ++i)
      damaged[rng.below(damaged.size())] ^= static_cast<char>(1 + rng.below(255));
    write_file_atomically(folder / "model.onnx", damaged);
    const auto package = Package::open(folder);
    const Verdict verdict = backend->accepts(*package, "onnxruntime:cpu");
    EXPECT_EQ(verdict.rank, 0);
    EXPECT_NE(verdict.reason.find("phial export"), std::string::npos) << verdict.reason;
    expect_error(Code::kCorrupt, {"model.onnx", "checksum"}, [&] { open(package); });
  }
}

TEST(onnxruntime, a_configuration_of_another_version) {
  const TempFolder temp;
  const fs::path folder = temp.path() / "package";
  fs::copy(tiny_with_graph(TinyKind::kPlain)->folder(), folder, fs::copy_options::recursive);
  Json config = Json::parse(read_file(folder / "genai_config.json"));
  config["model"]["decoder"]["key_of_a_later_version"] = 1;
  write_file_atomically(folder / "genai_config.json", config.dump());
  Json manifest = Json::parse(read_file(folder / "phial.json"));
  for (Json& artefact : manifest["artefacts"]) {
    artefact.erase("sha256");
    if (artefact["file"] != "openvino_model.bin") artefact.erase("bytes");
  }
  write_file_atomically(folder / "phial.json", manifest.dump());
  expect_error(Code::kUnsupported,
               {"genai_config.json", "another version", "key_of_a_later_version"},
               [&] { open(Package::open(folder)); });
}

}  // namespace
}  // namespace phial
