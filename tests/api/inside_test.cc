// SPDX-License-Identifier: Apache-2.0
// Parts of the API layer that its interface shows only in passing: what open models tell of
// themselves, what was measured, the doctor's judgement, which unit a device is.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include "api/activity.h"
#include "api/doctor.h"
#include "api/measured.h"
#include "api/units.h"
#include "base/cpu_info.h"
#include "set_environment.h"
#include "temp_folder.h"

namespace phial::api {
namespace {

class SilentSession : public Session {
 public:
  Limits limits() const override { return {10, 4096, 1, 0, true}; }
  void step(std::span<const Step>, const Interrupt&) override {}
  void truncate(SequenceId, int32_t) override {}
  void release(SequenceId) override {}
  int32_t length(SequenceId) const override { return 0; }
  std::string device() const override { return "cpu"; }
  std::string tier() const override { return "silent"; }
};

void step(Session& session, size_t tokens) {
  const std::vector<TokenId> ids(tokens, 1);
  Step one;
  one.tokens = ids;
  session.step({&one, 1});
}

TEST(activity, a_session_tells_what_it_does_until_it_is_closed) {
  const TempFolder folder;
  {
    PublishedSession session(std::make_unique<SilentSession>(), {"phi-3-mini:int4", 8},
                             folder.path() / "phial");
    Json list = list_activity(folder.path() / "phial");
    ASSERT_EQ(list.size(), 1u);
    EXPECT_EQ(list[0]["model"], "phi-3-mini:int4");
    EXPECT_EQ(list[0]["state"], "idle");
    EXPECT_EQ(list[0]["context"], 4096);
    EXPECT_TRUE(list[0]["answer_rate"].is_null());
    step(session, 100);
    list = list_activity(folder.path() / "phial");
    EXPECT_EQ(list[0]["state"], "answer");
    EXPECT_EQ(list[0]["prompt_tokens"], 100);
    step(session, 1);
    step(session, 1);
    session.idle();
    list = list_activity(folder.path() / "phial");
    EXPECT_EQ(list[0]["state"], "idle");
    EXPECT_EQ(list[0]["answer_tokens"], 2);
    EXPECT_TRUE(list[0]["answer_rate"].is_number());
  }
  EXPECT_EQ(list_activity(folder.path() / "phial").size(), 0u);
}

TEST(activity, an_answer_that_nobody_ended_is_idle_and_strangers_are_passed_over) {
  const TempFolder folder;
  folder.write("1-0.json", R"({"model": "m", "state": "answer", "updated": 5})");
  folder.write("1-1.json", R"({"state": "idle"})");
  folder.write("notes.txt", "text");
  folder.write("x.json", "{}");
  const Json list = list_activity(folder.path());
  ASSERT_EQ(list.size(), 1u);
  EXPECT_EQ(list[0]["state"], "idle");
  EXPECT_EQ(list_activity(folder.path() / "none").size(), 0u);
}

TEST(activity, a_damaged_file_is_no_error) {
  const TempFolder folder;
  folder.write("1-0.json", R"({"model": "first", "state": "answer", "updated": "x", "started": "y",
                              "answer_rate": "fast", "prompt_rate": 1e300})");
  folder.write("1-1.json", R"({"model": "second", "state": 7, "updated": 1e300, "started": 3})");
  folder.write("1-2.json", R"({"model":)");
  fs::create_directory(folder.path() / "1-3.json");
  const Json list = list_activity(folder.path());
  ASSERT_EQ(list.size(), 2u);
  EXPECT_EQ(list[0]["model"], "first");
  EXPECT_TRUE(list[0]["prompt_rate"].is_null());
  EXPECT_EQ(list[1]["model"], "second");
}

TEST(activity, a_place_that_cannot_be_written_is_no_error) {
  const TempFolder folder;
  folder.write("file", "");
  PublishedSession session(std::make_unique<SilentSession>(), {"m", 1}, folder.path() / "file");
  step(session, 1);
  session.idle();
  EXPECT_EQ(list_activity(folder.path() / "file").size(), 0u);
}

TEST(doctor, versions) {
  EXPECT_TRUE(version_at_least("6.14.0-29-generic", 6, 8));
  EXPECT_TRUE(version_at_least("7.0", 6, 8));
  EXPECT_FALSE(version_at_least("6.1.0-40-amd64", 6, 8));
  EXPECT_FALSE(version_at_least("5.15", 6, 8));
  EXPECT_FALSE(version_at_least("unknown", 6, 8));
}

TEST(doctor, folders) {
  const TempFolder folder;
  EXPECT_NE(check_folder("models", folder.path() / "to" / "be").state, CheckState::kProblem);
  folder.write("file", "");
  const Check file = check_folder("cache", folder.path() / "file" / "cache");
  EXPECT_EQ(file.state, CheckState::kProblem);
  EXPECT_NE(file.remedy.find("PHIAL_CACHE"), std::string::npos);
  EXPECT_EQ(check_folder("models", {}).state, CheckState::kProblem);
}

TEST(doctor, an_old_kernel_and_an_old_driver_are_problems) {
  Machine machine;
  machine.kernel = "6.5.0";
  Npu npu;
  npu.id = "accel0";
  npu.vendor = "Intel";
  npu.name = "NPU 3720 (Meteor Lake)";
  npu.driver = "intel_vpu";
  machine.npus.push_back(npu);
  Gpu gpu;
  gpu.id = "card0";
  gpu.vendor = "NVIDIA";
  gpu.name = "GeForce RTX 4070";
  gpu.driver = "nvidia";
  gpu.driver_version = "470.1";
  machine.gpus.push_back(gpu);
  const TempFolder folder;
  const Root root(folder.path());
  const std::vector<Device> devices = {{"onnxruntime:cuda", "", "gpu", ""},
                                       {"openvino:NPU", "", "npu", "not seen"}};
  const auto checks = check_units(root, machine, make_units(root, machine, devices));
  const auto state = [&](const std::string& id) {
    for (const Check& check : checks)
      if (check.id == id) return check.state;
    ADD_FAILURE() << id;
    return CheckState::kOk;
  };
  EXPECT_EQ(state("card0"), CheckState::kOk);
  EXPECT_EQ(state("card0.driver"), CheckState::kProblem);
  EXPECT_EQ(state("accel0"), CheckState::kProblem);
  EXPECT_EQ(state("accel0.kernel"), CheckState::kProblem);
  EXPECT_EQ(state("accel0.firmware"), CheckState::kNote);
  const Json report = doctor_report(checks, "phial run phi-3-mini");
  EXPECT_FALSE(report["healthy"].get<bool>());
  EXPECT_GE(report["next"].size(), 2u);
}

TEST(units, which_one_a_device_is) {
  Machine machine;
  for (const char* vendor : {"Intel", "NVIDIA", "Intel", "NVIDIA"}) {
    Gpu gpu;
    gpu.vendor = vendor;
    gpu.id = fmt::format("card{}", machine.gpus.size());
    machine.gpus.push_back(gpu);
  }
  EXPECT_EQ(unit_of(machine, "cpu", "cpu"), "cpu");
  EXPECT_EQ(unit_of(machine, "openvino:GPU", "gpu"), "card0");
  EXPECT_EQ(unit_of(machine, "openvino:GPU.1", "gpu"), "card2");
  EXPECT_EQ(unit_of(machine, "onnxruntime:cuda", "gpu"), "card1");
  EXPECT_EQ(unit_of(machine, "onnxruntime:cuda:1", "gpu"), "card3");
  EXPECT_EQ(unit_of(machine, "onnxruntime:cuda:2", "gpu"), "");
  EXPECT_EQ(unit_of(machine, "openvino:NPU", "npu"), "");
}

TEST(units, an_npu_that_no_engine_runs_on_has_no_remedy) {
  Machine machine;
  Npu npu;
  npu.id = "accel0";
  npu.vendor = "AMD";
  npu.driver = "amdxdna";
  machine.npus.push_back(npu);
  const TempFolder folder;
  const auto units = make_units(Root(folder.path()), machine, {});
  ASSERT_EQ(units.size(), 2u);
  EXPECT_EQ(units[1].why_not, "no engine of phial's runs on NPUs by AMD");
  EXPECT_EQ(units[1].remedy, "");
}

}  // namespace
}  // namespace phial::api
