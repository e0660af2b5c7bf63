// SPDX-License-Identifier: Apache-2.0
// Plug-ins that work, and plug-ins that don't: none may do more harm than a verdict of no.
#include "backend/plugin_host.h"

#include <gtest/gtest.h>

#include <cstdlib>

#include "base/error.h"
#include "base/shared_library.h"
#include "base/system.h"
#include "expect_error.h"
#include "set_environment.h"
#include "temp_folder.h"

namespace phial {
namespace {

class FakePackage : public Package {
 public:
  explicit FakePackage(const fs::path& folder, bool by_phial = true) {
    folder_ = folder;
    if (by_phial) manifest_ = Json::object();
  }
};

std::shared_ptr<const Package> package(const fs::path& folder = "some/folder") {
  return std::make_shared<FakePackage>(folder);
}

std::unique_ptr<Backend> open_fake(const std::string& name,
                                   std::vector<std::string> settings = {}) {
  return open_plugin({name, fs::path(PHIAL_FAKES) / ("phial_" + name + kSharedLibrarySuffix)},
                     std::move(settings));
}

std::string library(const std::string& name) { return name + kSharedLibrarySuffix; }

class PluginPath {
 public:
  explicit PluginPath(const std::string& path) { set_environment("PHIAL_PLUGIN_PATH", path); }
  ~PluginPath() { unset_environment("PHIAL_PLUGIN_PATH"); }
};

TEST(plugin_host, a_plugin_is_a_backend) {
  const auto backend = open_fake("fake");
  EXPECT_EQ(backend->name(), "fake");
  const auto devices = backend->devices();
  ASSERT_EQ(devices.size(), 2u);
  EXPECT_EQ(devices[0].id, "fake:GPU.0");
  EXPECT_EQ(devices[0].kind, "gpu");
  EXPECT_EQ(devices[0].why_not, "");
  EXPECT_EQ(devices[1].why_not, "there is no NPU");
  EXPECT_EQ(backend->quick_devices().size(), 1u);
  const Verdict yes = backend->accepts(*package(), "fake:GPU.0");
  EXPECT_EQ(yes.rank, 80);
  EXPECT_EQ(yes.reason, "the fake runs it");
  const Verdict no = backend->accepts(*package(), "fake:TPU");
  EXPECT_EQ(no.rank, 0);
  EXPECT_EQ(no.reason, "the fake has no such device");
}

TEST(plugin_host, a_session_goes_through_the_table) {
  const auto backend = open_fake("fake");
  std::vector<std::string> notices;
  SessionOptions options;
  options.threads = 3;
  options.context = 5;
  options.kv_cache = "f16";
  options.settings = {"KEY=VALUE"};
  options.notice = [&](NoticeKind, const std::string& text) { notices.push_back(text); };
  auto session = backend->open(package(), "fake:GPU.0", options);
  EXPECT_EQ(session->device(), "fake:GPU.0");
  EXPECT_EQ(session->tier(), "3 5 f16 KEY=VALUE");
  const Limits limits = session->limits();
  EXPECT_EQ(limits.vocab, 10);
  EXPECT_EQ(limits.max_context, 8);
  EXPECT_EQ(limits.max_sequences, 2);
  EXPECT_EQ(limits.prefill_chunk, 3);
  EXPECT_TRUE(limits.cheap_truncate);

  const TokenId tokens[] = {4, 7};
  std::vector<float> all(20), last(10);
  const Step batch[] = {{5, tokens, all.data(), true}, {6, tokens, last.data(), false}};
  session->step(batch);
  EXPECT_EQ(all[5], 1);
  EXPECT_EQ(all[10 + 8], 1);
  EXPECT_EQ(last[8], 1);
  EXPECT_EQ(session->length(5), 2);
  session->truncate(5, 1);
  EXPECT_EQ(session->length(5), 1);
  session->release(6);
  EXPECT_EQ(session->length(6), 0);
  session.reset();
  EXPECT_EQ(notices, (std::vector<std::string>{"the fake opens", "it closes"}));
}

TEST(plugin_host, failures_keep_their_code_and_words) {
  const auto backend = open_fake("fake");
  const auto session = backend->open(package(), "fake:GPU.0", {});
  const std::vector<TokenId> many(9, 1), one = {1};
  const Step too_long{0, many, nullptr, false}, short_step{0, one, nullptr, false};
  expect_error(Code::kContextFull, {"the fake holds 8 tokens"},
               [&] { session->step({&too_long, 1}); });
  expect_error(Code::kCancelled, {"the fake was stopped"},
               [&] { session->step({&short_step, 1}, [] { return true; }); });
  expect_error(Code::kCancelled, {"the fake was stopped"}, [&] {
    session->step({&short_step, 1}, []() -> bool { throw std::runtime_error("not through C"); });
  });
  expect_error(Code::kUnsupported, {"'fake'", "code 4"},
               [&] { backend->open(package("silent"), "fake:GPU.0", {}); });
  expect_error(Code::kInternal, {"'fake'", "code 77"},
               [&] { backend->open(package("strange"), "fake:GPU.0", {}); });
  expect_error(Code::kInternal, {"'fake'", "opened nothing"},
               [&] { backend->open(package("nothing"), "fake:GPU.0", {}); });
  EXPECT_EQ(backend->accepts(*package("unreadable"), "fake:GPU.0").reason,
            "the package can't be read");
  const auto failing = open_fake("fake", {"fail=yes"})->devices();
  ASSERT_EQ(failing.size(), 1u);
  EXPECT_EQ(failing[0].why_not, "the fake fails as asked");
}

TEST(plugin_host, only_packages_on_disk_are_given_to_plugins) {
  const auto backend = open_fake("fake");
  const Verdict folder = backend->accepts(FakePackage("phi-3", false), "fake:GPU.0");
  EXPECT_EQ(folder.rank, 0);
  EXPECT_NE(folder.reason.find("'phial quantize'"), std::string::npos) << folder.reason;
  const Verdict synthetic = backend->accepts(FakePackage("", false), "fake:GPU.0");
  EXPECT_EQ(synthetic.rank, 0);
  EXPECT_NE(synthetic.reason.find("synthetic"), std::string::npos) << synthetic.reason;
}

void expect_unusable(const Backend& backend, const std::string& words) {
  const auto devices = backend.devices();
  ASSERT_EQ(devices.size(), 1u);
  EXPECT_EQ(devices[0].id, backend.name());
  EXPECT_NE(devices[0].why_not.find(words), std::string::npos) << devices[0].why_not;
  EXPECT_TRUE(backend.quick_devices().empty());
  const Verdict verdict = backend.accepts(*package(), backend.name() + ":GPU");
  EXPECT_EQ(verdict.rank, 0);
  EXPECT_EQ(verdict.reason, devices[0].why_not);
  expect_error(Code::kUnsupported, {words}, [&] { backend.open(package(), "x:GPU", {}); });
}

TEST(plugin_host, what_cannot_be_used_says_why) {
  expect_unusable(*open_fake("newer"), "version 99 of the plug-in interface");
  expect_unusable(*open_fake("small"), "40 bytes");
  expect_unusable(*open_fake("misnamed"), "calls itself 'fake', expected 'misnamed'");
  expect_unusable(*open_fake("stranger"), "isn't a plug-in of phial");
  expect_unusable(*open_fake("nowhere"), library("phial_nowhere"));
  const TempFolder folder;
  expect_unusable(*open_plugin({"text", folder.write(library("phial_text"), "not a library")}, {}),
                  library("phial_text"));
  expect_unusable(*open_plugin({"empty", folder.write(library("phial_empty"), "")}, {}),
                  library("phial_empty"));
}

TEST(plugin_host, plugins_are_found_by_name_and_the_first_of_a_name_counts) {
  const TempFolder first, second;
  first.write(library("phial_a"), "");
  first.write(library("libphial"), "");
  first.write(library("phial_"), "");
  first.write("phial_c.txt", "");
  second.write(library("phial_a"), "");
  second.write(library("phial_b"), "");
  const auto found =
      find_plugins({first.path(), "nowhere", second.path(), second.path() / library("phial_b")});
  ASSERT_EQ(found.size(), 2u);
  EXPECT_EQ(found[0].name, "a");
  EXPECT_EQ(found[0].path, first.path() / library("phial_a"));
  EXPECT_EQ(found[1].name, "b");
  const PluginPath path(first.path().string() + kPathListSeparator + kPathListSeparator +
                        second.path().string());
  const auto folders = plugin_folders();
  ASSERT_GE(folders.size(), 3u);
  EXPECT_EQ(folders[0], first.path());
  EXPECT_EQ(folders[1], second.path());
}

TEST(plugin_host, a_wish_opens_what_it_concerns) {
  const PluginPath path(PHIAL_FAKES);
  EXPECT_TRUE(open_plugins_for("cpu", {}).empty());
  EXPECT_GE(open_plugins_for("auto", {}).size(), 5u);
  const auto one = open_plugins_for("fake:GPU.0", {});
  ASSERT_EQ(one.size(), 1u);
  EXPECT_EQ(one[0]->name(), "fake");
  expect_error(Code::kUnsupported, {"fkae:GPU.0", library("phial_fkae"), PHIAL_FAKES},
               [] { open_plugins_for("fkae:GPU.0", {}); });
}

}  // namespace
}  // namespace phial
