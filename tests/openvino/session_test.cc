// SPDX-License-Identifier: Apache-2.0
// What the suite of every backend doesn't ask: properties, names, the cache, damaged files.
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <thread>

#include "backend/compile_cache.h"
#include "base/rng.h"
#include "conformance/tiny_model.h"
#include "expect_error.h"
#include "openvino/environment.h"
#include "temp_folder.h"

namespace phial {
namespace {

const Tokens kPrompt = {5, 17, 3, 44, 90, 12, 7};

std::unique_ptr<Session> open(std::vector<std::string> settings, SessionOptions options = {}) {
  options.threads = 1;
  return openvino_backend(std::move(settings))
      ->open(tiny_on_disk(TinyKind::kPlain), "openvino:CPU", options);
}

TEST(openvino, the_cpu_is_there_and_accepts) {
  const auto backend = openvino_backend({});
  bool cpu = false;
  for (const Device& device : backend->devices()) {
    EXPECT_TRUE(device.id.starts_with("openvino:")) << device.id;
    cpu |= device.id == "openvino:CPU" && device.why_not.empty() && device.kind == "cpu";
  }
  EXPECT_TRUE(cpu);
  const Verdict verdict = backend->accepts(*tiny_on_disk(TinyKind::kPlain), "openvino:CPU");
  EXPECT_GT(verdict.rank, 0) << verdict.reason;
  EXPECT_LT(verdict.rank, 50) << "phial's own engine comes first on a CPU";
  const Verdict no = backend->accepts(*tiny_on_disk(TinyKind::kPlain), "openvino:TPU");
  EXPECT_EQ(no.rank, 0);
  EXPECT_NE(no.reason.find("'TPU'"), std::string::npos) << no.reason;
}

TEST(openvino, a_session_names_itself_and_its_limits) {
  SessionOptions options;
  options.context = 40;
  options.max_sequences = 2;
  const auto session = open(exact_settings(), options);
  EXPECT_EQ(session->device(), "openvino:CPU");
  EXPECT_TRUE(session->tier().starts_with("OpenVINO 20")) << session->tier();
  EXPECT_TRUE(session->tier().ends_with(" on CPU")) << session->tier();
  EXPECT_EQ(session->limits().max_context, 40);
  EXPECT_EQ(session->limits().max_sequences, 2);
  EXPECT_FALSE(session->limits().cheap_truncate);
}

TEST(openvino, a_property_that_openvino_does_not_know_is_one_sentence) {
  expect_error(Code::kUnsupported, {"OpenVINO says", "NO_SUCH_PROPERTY"},
               [] { open({"NO_SUCH_PROPERTY=1"}); });
  expect_error(Code::kUnsupported, {"INFERENCE_PRECISION_HINT"},
               [] { open({"INFERENCE_PRECISION_HINT=f7"}); });
  expect_error(Code::kInvalidArgument, {"no-such-setting", "npu-prompt"},
               [] { open({"no-such-setting=1"}); });
}

TEST(openvino, compiled_models_are_kept_and_damage_only_costs_time) {
  const auto cache = CompileCache::of_user();
  cache.clear();
  const Tokens expected = greedy(*open(exact_settings()), kPrompt, 10);
  ASSERT_EQ(cache.list().size(), 1u);
  EXPECT_EQ(greedy(*open(exact_settings()), kPrompt, 10), expected);
  EXPECT_EQ(cache.list().size(), 1u);
  Rng rng(3);
  for (int round = 0; round < 6; ++round) {
    const fs::path entry = cache.folder() / cache.list().at(0).key;
    for (const auto& file : fs::directory_iterator(entry)) {
      if (file.path().filename() == "entry.json" && round % 2) continue;
      std::fstream bytes(file.path(), std::ios::binary | std::ios::in | std::ios::out);
      bytes.seekp(static_cast<std::streamoff>(rng.below(file.file_size())));
      bytes.put(static_cast<char>(rng.next()));
    }
    EXPECT_EQ(greedy(*open(exact_settings()), kPrompt, 10), expected) << round;
  }
}

TEST(openvino, two_at_once_compile_without_harm) {
  const auto cache = CompileCache::of_user();
  cache.clear();
  tiny_on_disk(TinyKind::kPlain);  // is made by one thread
  Tokens replies[2];
  {
    std::jthread other([&] { replies[1] = greedy(*open(exact_settings()), kPrompt, 10); });
    replies[0] = greedy(*open(exact_settings()), kPrompt, 10);
  }
  EXPECT_EQ(replies[0], replies[1]);
  ASSERT_EQ(cache.list().size(), 1u);
  EXPECT_TRUE(cache.list()[0].sound);
}

TEST(openvino, a_cache_that_cannot_be_written_is_a_warning) {
  const TempFolder folder;
  const std::string before = std::getenv("PHIAL_CACHE");
  ::setenv("PHIAL_CACHE", folder.write("a-file", "").c_str(), 1);
  std::vector<std::string> warnings;
  SessionOptions options;
  options.notice = [&](NoticeKind kind, const std::string& text) {
    if (kind == NoticeKind::kWarning) warnings.push_back(text);
  };
  EXPECT_EQ(greedy(*open(exact_settings(), options), kPrompt, 3).size(), 3u);
  ::setenv("PHIAL_CACHE", before.c_str(), 1);
  ASSERT_EQ(warnings.size(), 1u);
  EXPECT_NE(warnings[0].find("a-file"), std::string::npos) << warnings[0];
}

TEST(openvino, a_damaged_package_is_an_error_not_a_crash) {
  const TempFolder folder;
  const fs::path damaged = folder.path() / "package";
  fs::copy(tiny_on_disk(TinyKind::kPlain)->folder(), damaged, fs::copy_options::recursive);
  const std::string manifest = read_file(damaged / "phial.json");
  const auto backend = openvino_backend(exact_settings());
  Rng rng(11);
  int refused = 0;
  for (int round = 0; round < 100; ++round) {
    std::string text = manifest;
    for (int i = 0; i < 3; ++i)
      text[rng.below(text.size())] = static_cast<char>(32 + rng.below(95));
    std::ofstream(damaged / "phial.json", std::ios::binary) << text;
    try {  // a changed number may pass the reader's checks, and must pass OpenVINO's then
      const auto package = Package::open(damaged);
      if (round % 10 == 0) backend->open(package, "openvino:CPU", {});
    } catch (const Error& error) {
      ++refused;
      EXPECT_NE(std::string(error.what()), "");
    }
  }
  EXPECT_GT(refused, 20);
  std::ofstream(damaged / "phial.json", std::ios::binary) << manifest;
  fs::resize_file(damaged / "openvino_model.bin", 5000);
  EXPECT_THROW(Package::open(damaged), Error);
}

}  // namespace
}  // namespace phial
