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

const std::vector<Verdict> kLaptop = {
    {"cpu", 50, "runs on avx2vnni", "cpu"},
    {"openvino:CPU", 40, "", "cpu"},
    {"openvino:GPU.0", 80, "", "gpu"},
    {"openvino:NPU", 0, "the driver is too old", "npu"},
};

TEST(choose_device, a_kind_of_device_is_a_name_too) {
  EXPECT_EQ(choose_device(kLaptop, "gpu").device, "openvino:GPU.0");
  EXPECT_EQ(choose_device(kLaptop, "cpu").device, "cpu");
  EXPECT_NE(refusal(kLaptop, "npu").find("the driver is too old"), std::string::npos);
}

TEST(choose_device, another_device_is_taken_with_the_reason) {
  const Choice wanted = choose_device_or_another(kLaptop, "gpu");
  EXPECT_EQ(wanted.verdict->device, "openvino:GPU.0");
  EXPECT_EQ(wanted.fallback, "");
  for (const char* npu : {"npu", "openvino:NPU"}) {
    const Choice other = choose_device_or_another(kLaptop, npu);
    EXPECT_EQ(other.verdict->device, "openvino:GPU.0");
    EXPECT_EQ(other.fallback, "openvino:NPU: the driver is too old");
  }
  const std::vector<Verdict> cpu_alone = {{"cpu", 50, "", "cpu"}};
  EXPECT_EQ(choose_device_or_another(cpu_alone, "npu").verdict->device, "cpu");
  EXPECT_NE(choose_device_or_another(cpu_alone, "npu").fallback, "");
}

TEST(choose_device, a_name_that_nobody_knows_is_an_error_all_the_same) {
  for (const char* name : {"opencl", "cpus", "", "openvino:NPU.7"}) {
    try {
      choose_device_or_another(kLaptop, name);
      ADD_FAILURE() << name;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), Code::kUnsupported);
    }
  }
  const std::vector<Verdict> none = {{"cpu", 0, "too small", "cpu"}};
  EXPECT_THROW(choose_device_or_another(none, "npu"), Error);
}

}  // namespace
}  // namespace phial
