// SPDX-License-Identifier: Apache-2.0
// Which packages are accepted on which device, and what is said of the others.
#include "onnxruntime/graph.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>

#include "base/rng.h"
#include "base/write_beside.h"
#include "expect_error.h"
#include "onnxruntime/devices.h"
#include "onnxruntime/fake_package.h"
#include "package/artefacts.h"
#include "temp_folder.h"

namespace phial::ort {
namespace {

Verdict judge_fake(const Package& package, const std::string& device) {
  return judge(parse_settings(fake_runtime()), package, device);
}

void expect_no(const Verdict& verdict, const std::vector<std::string>& words) {
  EXPECT_EQ(verdict.rank, 0);
  for (const std::string& word : words)
    EXPECT_NE(verdict.reason.find(word), std::string::npos)
        << "'" << word << "' isn't in: " << verdict.reason;
}

TEST(onnxruntime_graph, a_package_with_a_graph_is_accepted_behind_phials_own_engine) {
  const TempFolder temp;
  const auto package = fake_package(temp.path() / "package");
  const Verdict yes = judge_fake(*package, "onnxruntime:cpu");
  EXPECT_GT(yes.rank, 0) << yes.reason;
  EXPECT_LT(yes.rank, 50);
  EXPECT_EQ(yes.kind, "cpu");
  expect_no(judge_fake(*package, "onnxruntime:tpu"), {"'tpu'", "cpu, dml, cuda"});
}

TEST(onnxruntime_graph, a_package_without_one_is_told_the_command) {
  const TempFolder temp;
  const auto made = fake_package(temp.path() / "package");
  Json manifest = made->manifest();
  manifest["artefacts"] = Json::array();
  write_file_atomically(made->folder() / "phial.json", manifest.dump());
  expect_no(
      judge_fake(*Package::open(made->folder()), "onnxruntime:cpu"),
      {"no ONNX graph", "phial export " + made->folder().string(), "--to ort-genai --ep cpu"});
}

TEST(onnxruntime_graph, builds_without_a_provider_say_which_package_has_it) {
  const TempFolder temp;
  const auto package = fake_package(temp.path() / "package");
  expect_no(judge_fake(*package, "onnxruntime:dml:1"),
            {"1.31.1 was built without DirectML", "onnxruntime-genai-directml"});
  expect_no(judge_fake(*package, "onnxruntime:cuda"),
            {"1.31.1 was built without CUDA", "onnxruntime-genai-cuda"});
  const auto devices = list_devices(parse_settings(fake_runtime()), false);
  ASSERT_EQ(devices.size(), 3u);
  EXPECT_EQ(devices[0].id, "onnxruntime:cpu");
  EXPECT_EQ(devices[0].why_not, "");
  EXPECT_EQ(devices[0].description, "ONNX Runtime 1.31.1, GenAI 0.18.0");
  EXPECT_EQ(devices[1].kind, "gpu");
  EXPECT_NE(devices[1].why_not, "");
  EXPECT_NE(devices[2].why_not, "");
}

TEST(onnxruntime_graph, without_a_runtime_every_device_says_so) {
  ::setenv("PHIAL_ONNXRUNTIME_LIB", "/nowhere", 1);
  const auto devices = list_devices({}, false);
  ASSERT_EQ(devices.size(), 3u);
  for (const Device& device : devices)
    EXPECT_NE(device.why_not.find("pip install onnxruntime"), std::string::npos) << device.why_not;
  EXPECT_NE(devices[0].why_not.find("Looked in"), std::string::npos);
  EXPECT_EQ(devices[1].why_not.find('\n'), std::string::npos) << "once is enough";
}

TEST(onnxruntime_graph, each_provider_has_its_own_graph) {
  const TempFolder temp;
  const auto all =
      fake_package(temp.path() / "all", "cpu", {"model.onnx", "model_cuda.onnx", "model_dml.onnx"});
  EXPECT_EQ(inspect_graph(*all, Provider::kCpu).file, "model.onnx");
  EXPECT_EQ(inspect_graph(*all, Provider::kDml).file, "model_dml.onnx");
  EXPECT_STREQ(inspect_graph(*all, Provider::kDml).kv_cache(), "f16");
  EXPECT_EQ(inspect_graph(*all, Provider::kCpu).stop_ids, std::vector<int32_t>{2});
  const auto one = fake_package(temp.path() / "one", "dml", {"graph.onnx"});
  EXPECT_EQ(inspect_graph(*one, Provider::kDml).file, "graph.onnx");
  expect_error(Code::kUnsupported, {"is for dml, not for cpu", "--to ort-genai --ep cpu"},
               [&] { inspect_graph(*one, Provider::kCpu); });
  EXPECT_EQ(inspect_graph(*one, Provider::kCpu, true).made_for, Provider::kDml);
}

TEST(onnxruntime_graph, damage_is_found_before_the_runtime_sees_it) {
  const TempFolder temp;
  const auto package = fake_package(temp.path() / "package");
  Rng rng(5);
  for (const char* name : {"model.onnx", "genai_config.json"}) {
    const fs::path file = package->folder() / name;
    const std::string whole = read_file(file);
    for (int round = 0; round < 40; ++round) {
      std::string damaged = whole;
      damaged[rng.below(damaged.size())] ^= static_cast<char>(1 + rng.below(255));
      write_file_atomically(file, damaged);
      expect_error(Code::kCorrupt, {name, "checksum", "phial export"},
                   [&] { inspect_graph(*package, Provider::kCpu); });
    }
    write_file_atomically(file, whole.substr(0, whole.size() / 2));
    expect_error(Code::kCorrupt, {name, "bytes"}, [&] { inspect_graph(*package, Provider::kCpu); });
    fs::remove(file);
    expect_error(Code::kNotFound, {name, "phial export"},
                 [&] { inspect_graph(*package, Provider::kCpu); });
    write_file_atomically(file, whole);
  }
  EXPECT_EQ(inspect_graph(*package, Provider::kCpu).file, "model.onnx");
}

// A manifest of another writer has no checksums: what the configuration says is checked all the
// same.
TEST(onnxruntime_graph, configurations_that_arent_of_this_package) {
  const TempFolder temp;
  const auto made = fake_package(temp.path() / "package");
  Json manifest = made->manifest();
  for (Json& artefact : manifest["artefacts"]) {
    artefact.erase("sha256");
    artefact.erase("bytes");
  }
  write_file_atomically(made->folder() / "phial.json", manifest.dump());
  const auto package = Package::open(made->folder());
  const Json good = Json::parse(read_file(made->folder() / "genai_config.json"));
  const auto with = [&](const std::string& text, Code code, const std::vector<std::string>& words) {
    write_file_atomically(made->folder() / "genai_config.json", text);
    expect_error(code, words, [&] { inspect_graph(*package, Provider::kCpu); });
  };
  for (const char* text : {"", "[]", "{", "{\"model\": 7}", "{\"model\": {\"decoder\": []}}"})
    with(text, Code::kCorrupt, {"genai_config.json", "phial export"});
  Json other = good;
  other["model"]["vocab_size"] = 32064;
  with(other.dump(), Code::kCorrupt, {"32064", "101"});
  other = good;
  other["model"]["decoder"]["filename"] = "../model.onnx";
  with(other.dump(), Code::kCorrupt, {"../model.onnx"});
  other["model"]["decoder"]["filename"] = 5;
  with(other.dump(), Code::kCorrupt, {});
  other["model"]["decoder"]["filename"] = "elsewhere.onnx";
  with(other.dump(), Code::kNotFound, {"elsewhere.onnx"});
}

}  // namespace
}  // namespace phial::ort
