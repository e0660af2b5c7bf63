// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <vector>

#include "backend/backend.h"
#include "base/error.h"

namespace phial {
namespace {

const std::vector<Verdict> kVerdicts = {
    {"cpu", 50, "runs on avx2"},
    {"openvino:NPU", 0, "the package has no graph for it"},
    {"openvino:GPU.0", 80, ""},
    {"openvino:GPU.1", 90, ""},
    {"dml", 0, "there is no such adapter"},
    {"other:GPU", 90, ""},
};

TEST(choose_device, auto_takes_the_highest_rank_and_among_equals_the_first) {
  EXPECT_EQ(choose_device(kVerdicts, "auto").device, "openvino:GPU.1");
}

TEST(choose_device, a_name_means_itself_and_what_follows_its_colon) {
  EXPECT_EQ(choose_device(kVerdicts, "cpu").device, "cpu");
  EXPECT_EQ(choose_device(kVerdicts, "openvino").device, "openvino:GPU.1");
  EXPECT_EQ(choose_device(kVerdicts, "openvino:GPU.0").device, "openvino:GPU.0");
  EXPECT_EQ(choose_device(kVerdicts, "other").device, "other:GPU");
}

std::string refusal(std::span<const Verdict> verdicts, std::string_view wanted) {
  try {
    choose_device(verdicts, wanted);
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::kUnsupported);
    return error.what();
  }
  ADD_FAILURE() << wanted << " was accepted";
  return {};
}

TEST(choose_device, a_refusal_says_why) {
  EXPECT_NE(refusal(kVerdicts, "openvino:NPU").find("the package has no graph for it"),
            std::string::npos);
  EXPECT_NE(refusal(kVerdicts, "dml").find("there is no such adapter"), std::string::npos);
}

TEST(choose_device, every_reason_is_listed_when_nothing_can) {
  const std::vector<Verdict> none = {{"cpu", 0, "first reason"}, {"dml", 0, "second reason"}};
  const std::string message = refusal(none, "auto");
  EXPECT_NE(message.find("cpu: first reason"), std::string::npos);
  EXPECT_NE(message.find("dml: second reason"), std::string::npos);
}

TEST(choose_device, a_part_of_a_name_is_not_the_name) {
  const std::string message = refusal(kVerdicts, "open");
  EXPECT_NE(message.find("openvino:GPU.0"), std::string::npos);  // what there is instead
  refusal(kVerdicts, "openvino:GPU");
  refusal(kVerdicts, "");
  refusal({}, "auto");
}

}  // namespace
}  // namespace phial
