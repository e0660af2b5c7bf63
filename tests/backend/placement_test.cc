// SPDX-License-Identifier: Apache-2.0
// The policy as a table: what there is, what is wanted, what is chosen.
#include "backend/placement.h"

#include <gtest/gtest.h>

#include "base/error.h"

namespace phial {
namespace {

Candidate cpu() { return {{"cpu", 50, "runs on avx2vnni", "cpu"}, 0, 0, {}}; }
Candidate openvino_cpu() { return {{"openvino:CPU", 40, "", "cpu"}, 0, 0, {}}; }
Candidate gpu() { return {{"openvino:GPU", 80, "", "gpu"}, 0, 0, {}}; }
Candidate npu() { return {{"openvino:NPU", 70, "", "npu"}, 1024, 0, {}}; }
Candidate cuda() { return {{"onnxruntime:cuda", 85, "", "gpu"}, 0, uint64_t{8} << 30, {}}; }
Candidate sick_npu() { return {{"openvino:NPU", 0, "the driver is too old", "npu"}, 1024, 0, {}}; }

Candidate measured(Candidate candidate, double prompt_rate, double answer_rate) {
  candidate.measured = Measured{prompt_rate, answer_rate};
  return candidate;
}

PlacementFacts facts(Policy policy = Policy::kAuto, std::optional<bool> on_battery = false,
                     int32_t prompt = 100) {
  PlacementFacts result;
  result.policy = policy;
  result.on_battery = on_battery;
  result.prompt_tokens = prompt;
  return result;
}

PlacementFacts wanting(const std::string& device, bool require = false) {
  PlacementFacts result;
  result.wanted = device;
  result.require = require;
  return result;
}

const std::vector<Candidate> kLaptop = {cpu(), openvino_cpu(), gpu(), npu()};
const std::vector<Candidate> kSick = {cpu(), openvino_cpu(), gpu(), sick_npu()};
// The NPU is slow, the GPU answers fast, the CPU takes prompts slowly.
const std::vector<Candidate> kMeasured = {measured(cpu(), 50, 18), measured(openvino_cpu(), 60, 16),
                                          measured(gpu(), 800, 20), measured(npu(), 900, 12)};
const std::vector<Candidate> kHalfMeasured = {measured(cpu(), 50, 18), measured(gpu(), 800, 20),
                                              npu()};

struct Row {
  const char* what;
  std::vector<Candidate> candidates;
  PlacementFacts facts;
  const char* chosen;
  const char* why;  // a part of it
};

const Row kTable[] = {
    {"the NPU comes first", kLaptop, facts(), "openvino:NPU", "healthy and the prompt fits"},
    {"a prompt that it takes just so", kLaptop, facts(Policy::kAuto, false, 1024), "openvino:NPU",
     "NPU comes first"},
    {"a longer one is the GPU's", kLaptop, facts(Policy::kAuto, false, 1025), "openvino:GPU",
     "more than the 1024 that openvino:NPU is compiled for"},
    {"a sick NPU", kSick, facts(), "openvino:GPU", "no NPU can run it"},
    {"no accelerator", {cpu(), openvino_cpu()}, facts(), "cpu", "no NPU or GPU can run it"},
    {"neither can", {cpu(), sick_npu()}, facts(), "cpu", "the only device that can run it"},
    {"nothing else", {cpu()}, facts(), "cpu", "the only device offered"},
    {"fast is the engines' estimate", kLaptop, facts(Policy::kFast), "openvino:GPU", "estimate"},
    {"fast of several GPUs",
     {cpu(), gpu(), cuda(), npu()},
     facts(Policy::kFast),
     "onnxruntime:cuda",
     "estimate"},
    {"efficient", kLaptop, facts(Policy::kEfficient), "openvino:NPU", "policy efficient"},
    {"on battery", kLaptop, facts(Policy::kAuto, true), "openvino:NPU", "on battery"},
    {"measured: short prompt", kMeasured, facts(), "openvino:GPU", "measured here: 20.0 tokens/s"},
    {"measured: the fastest of four", kMeasured, facts(), "openvino:GPU", "fastest of 4"},
    {"measured, policy fast", kMeasured, facts(Policy::kFast), "openvino:GPU", "measured here"},
    {"measured, on battery", kMeasured, facts(Policy::kAuto, true), "openvino:NPU", "on battery"},
    {"measured, fast on battery", kMeasured, facts(Policy::kFast, true), "openvino:GPU",
     "measured here"},
    {"measured, efficient", kMeasured, facts(Policy::kEfficient), "openvino:NPU", "efficient"},
    {"a new NPU isn't held back", kHalfMeasured, facts(), "openvino:NPU", "NPU comes first"},
    {"measured CPU engines alone",
     {measured(cpu(), 50, 10), measured(openvino_cpu(), 60, 16)},
     facts(),
     "openvino:CPU",
     "measured here: 16.0"},
    {"whether on battery isn't told", kLaptop, facts(Policy::kAuto, std::nullopt), "openvino:NPU",
     "healthy"},
};

TEST(placement, table) {
  for (const Row& row : kTable) {
    const Placement placement = place(row.candidates, row.facts);
    EXPECT_EQ(row.candidates[placement.chosen].verdict.device, row.chosen) << row.what;
    EXPECT_NE(placement.why.find(row.why), std::string::npos) << row.what << ": " << placement.why;
    EXPECT_EQ(placement.fallback, "") << row.what;
    EXPECT_EQ(placement.order.front(), placement.chosen) << row.what;
  }
}

TEST(placement, what_the_user_wants_comes_before_all) {
  for (const char* device : {"cpu", "openvino:CPU", "gpu", "npu"}) {
    const Placement placement = place(kMeasured, wanting(device, true));
    EXPECT_TRUE(matches(kMeasured[placement.chosen].verdict, device)) << device;
    EXPECT_EQ(placement.fallback, "");
  }
  EXPECT_EQ(place(kLaptop, wanting("openvino:CPU")).why, "asked for");
}

TEST(placement, a_fallback_follows_the_same_order_and_require_forbids_it) {
  const Placement placement = place(kSick, wanting("npu"));
  EXPECT_EQ(kSick[placement.chosen].verdict.device, "openvino:GPU");
  EXPECT_EQ(placement.fallback, "openvino:NPU: the driver is too old");
  try {
    place(kSick, wanting("npu", true));
    ADD_FAILURE();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::kUnsupported);
    EXPECT_NE(std::string(error.what()).find("the driver is too old"), std::string::npos);
  }
}

TEST(placement, a_model_too_large_for_a_card_is_refused_there) {
  const std::vector<Candidate> pc = {cpu(), cuda()};
  PlacementFacts large = facts();
  large.needed_bytes = uint64_t{9} << 30;
  Placement placement = place(pc, large);
  EXPECT_EQ(pc[placement.chosen].verdict.device, "cpu");
  EXPECT_EQ(placement.refusals[1], "needs 9.0 GiB, its own memory has 8.0 GiB");
  large.needed_bytes = uint64_t{8} << 30;
  placement = place(pc, large);
  EXPECT_EQ(pc[placement.chosen].verdict.device, "onnxruntime:cuda");
}

TEST(placement, nothing_can) {
  EXPECT_THROW(place({}, facts()), Error);
  const std::vector<Candidate> none = {sick_npu()};
  EXPECT_THROW(place(none, facts()), Error);
}

TEST(placement, policies_have_names) {
  for (const Policy policy : {Policy::kAuto, Policy::kFast, Policy::kEfficient})
    EXPECT_EQ(parse_policy(policy_name(policy)), policy);
  EXPECT_THROW(parse_policy("slow"), Error);
}

}  // namespace
}  // namespace phial
