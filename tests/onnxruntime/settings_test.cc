// SPDX-License-Identifier: Apache-2.0
// The parts that need no runtime at all: settings, names of devices, what failures mean.
#include "onnxruntime/settings.h"

#include <gtest/gtest.h>

#include "backend/plugin_host.h"
#include "expect_error.h"
#include "onnxruntime/objects.h"
#include "onnxruntime/target.h"

namespace phial::ort {
namespace {

Settings parse(std::vector<std::string> settings) { return parse_settings(settings); }

TEST(onnxruntime_settings, only_ours_are_read) {
  const Settings settings =
      parse({"NUM_STREAMS=1", "npu-prompt=512", "library=/openvino", "onnxruntime.library=/a",
             "onnxruntime.library=/b", "onnxruntime.provider.gpu_mem_limit=1",
             "onnxruntime.provider.gpu_mem_limit=2", "onnxruntime.session.log_severity_level=a=b"});
  EXPECT_EQ(settings.libraries, (std::vector<std::string>{"/a", "/b"}));
  ASSERT_EQ(settings.provider_options.size(), 1u);
  EXPECT_EQ(settings.provider_options[0].second, "2");
  ASSERT_EQ(settings.session_options.size(), 1u);
  EXPECT_EQ(settings.session_options[0].first, "log_severity_level");
  EXPECT_EQ(settings.session_options[0].second, "a=b");
  for (const char* wrong : {"onnxruntime.speed=high", "onnxruntime.append=maybe",
                            "onnxruntime.provider.=1", "onnxruntime.=1"})
    expect_error(Code::kInvalidArgument, {}, [&] { parse({wrong}); });
}

TEST(onnxruntime_settings, devices_have_long_and_short_names) {
  EXPECT_EQ(full_device_name("ort:cpu"), "onnxruntime:cpu");
  EXPECT_EQ(full_device_name("dml"), "onnxruntime:dml");
  EXPECT_EQ(full_device_name("dml:1"), "onnxruntime:dml:1");
  EXPECT_EQ(full_device_name("cuda"), "onnxruntime:cuda");
  for (const char* other : {"cpu", "auto", "npu", "openvino:GPU.0", "onnxruntime:cpu", "dmlx"})
    EXPECT_EQ(full_device_name(other), other);
  EXPECT_EQ(to_target("onnxruntime:dml:1").provider, Provider::kDml);
  EXPECT_EQ(to_target("onnxruntime:dml:1").index, 1);
  EXPECT_STREQ(to_target("onnxruntime:dml:1").kind(), "gpu");
  EXPECT_FALSE(to_target("onnxruntime:cuda").index);
  for (const char* wrong :
       {"tpu", "cpu:1", "dml:", "dml:x", "dml:-1", "dml:1:2", "cuda:99999999999"})
    EXPECT_EQ(to_target(wrong).provider, Provider::kUnknown) << wrong;
}

TEST(onnxruntime_settings, failures_have_a_remedy) {
  const auto said = [](const char* message) { return explain(message).text; };
  EXPECT_NE(said("DML provider requested, but the installed GenAI has not been built with DML "
                 "support.")
                .find("onnxruntime-genai-directml"),
            std::string::npos);
  EXPECT_NE(
      said("Cuda interface not available: Failed to load library: libonnxruntime-genai-cuda.so")
          .find("pip install onnxruntime-genai-cuda"),
      std::string::npos);
  EXPECT_NE(said("Error encountered while parsing 'genai_config.json' JSON Error: Unknown value "
                 "\"cache_slack\" at line 5")
                .find("another version"),
            std::string::npos);
  for (const char* memory : {"CUDA failure 2: out of memory", "bad allocation",
                             "Failed to allocate memory for requested buffer of size 7",
                             "8007000E Not enough memory resources are available"}) {
    EXPECT_EQ(explain(memory).code, Code::kOutOfMemory) << memory;
    EXPECT_NE(said(memory).find("--context"), std::string::npos);
    EXPECT_NE(said(memory).find(memory), std::string::npos) << "the runtime's own words";
  }
  EXPECT_NE(said("DirectML.dll not found").find("pip install onnxruntime-directml"),
            std::string::npos);
  EXPECT_NE(
      said("This session cannot use the graph capture feature as requested by the user as all "
           "compute graph nodes have not been partitioned to the DmlExecutionProvider")
          .find("a newer driver"),
      std::string::npos);
  EXPECT_EQ(explain("Load model from x failed:Protobuf parsing failed.").code, Code::kCorrupt);
  EXPECT_EQ(said("something\nnew."), "ONNX Runtime says: something new");
}

}  // namespace
}  // namespace phial::ort
