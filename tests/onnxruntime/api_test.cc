// SPDX-License-Identifier: Apache-2.0
// A device that accepts a package and then fails to open it, through phial's own interface: another
// one runs it where that is allowed, and a line says so.
#include <gtest/gtest.h>

#include <cstdlib>
#include <nlohmann/json.hpp>
#include <phial/phial.hpp>

#include "onnxruntime/fake_folder.h"
#include "temp_folder.h"

namespace {

struct Opened {
  std::string device;
  std::vector<std::string> warnings;
  std::string error;
};

Opened open(const std::string& folder, const phial::ModelOptions& given) {
  Opened result;
  phial::ModelOptions options = given;
  options.context = 32;
  options.notice = [&](phial_notice_kind kind, std::string_view text) {
    if (kind == PHIAL_NOTICE_WARNING) result.warnings.emplace_back(text);
  };
  try {
    phial::Model model(folder, options);
    const nlohmann::json facts = nlohmann::json::parse(model.describe_json());
    result.device = facts["session"]["device"];
  } catch (const phial::Exception& error) {
    result.error = error.what();
  }
  return result;
}

TEST(onnxruntime_api, a_device_that_fails_is_another_ones_turn) {
  ::setenv("PHIAL_ORT_GENAI_LIB", PHIAL_FAKES "/good", 1);
  ::setenv("PHIAL_ONNXRUNTIME_LIB", PHIAL_FAKES "/good", 1);
  const phial::TempFolder temp;
  const std::string folder = phial::fake_folder((temp.path() / "package").string());
  phial::ModelOptions options;
  options.device = "ort:cpu";
  EXPECT_EQ(open(folder, options).device, "onnxruntime:cpu");

  ::setenv("FAKE_OGA_FAIL", "OgaCreateModelFromConfig=CUDA failure 2: out of memory", 1);
  const Opened fell = open(folder, options);
  EXPECT_EQ(fell.device, "cpu") << fell.error;
  ASSERT_EQ(fell.warnings.size(), 1u);
  for (const char* words : {"'onnxruntime:cpu' can't be used, cpu runs it", "out of memory"})
    EXPECT_NE(fell.warnings[0].find(words), std::string::npos) << fell.warnings[0];

  options.require_device = true;
  EXPECT_NE(open(folder, options).error.find("out of memory"), std::string::npos);

  options.require_device = false;
  options.settings = {"onnxruntime.session.log_severity_level=9"};
  EXPECT_NE(open(folder, options).error.find("out of memory"), std::string::npos)
      << "what the user set may be the cause";

  options = {};
  options.device = "cuda";  // not in this build: another verdict, the same words
  const Opened cuda = open(folder, options);
  EXPECT_EQ(cuda.device, "cpu") << cuda.error;
  ASSERT_EQ(cuda.warnings.size(), 1u);
  EXPECT_NE(cuda.warnings[0].find("built without CUDA"), std::string::npos) << cuda.warnings[0];
}

}  // namespace
