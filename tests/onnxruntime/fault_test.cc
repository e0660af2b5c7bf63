// SPDX-License-Identifier: Apache-2.0
// Every call into the runtime fails once: what comes out is one sentence with a remedy, and the
// session is as it was.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>

#include "expect_error.h"
#include "onnxruntime/fake_package.h"
#include "temp_folder.h"

namespace phial {
namespace {

using Tokens = std::vector<TokenId>;

class FailOn {
 public:
  explicit FailOn(const std::string& what) { ::setenv("FAKE_OGA_FAIL", what.c_str(), 1); }
  ~FailOn() { ::unsetenv("FAKE_OGA_FAIL"); }
};

TokenId next(Session& session, const Tokens& tokens) {
  std::vector<float> logits(101);
  const Step one{0, tokens, logits.data(), false};
  session.step({&one, 1});
  return static_cast<TokenId>(std::max_element(logits.begin(), logits.end()) - logits.begin());
}

TEST(onnxruntime_faults, a_provider_that_cannot_be_made) {
  const TempFolder temp;
  const auto package = fake_package(temp.path() / "package", "cpu",
                                    {"model.onnx", "model_cuda.onnx", "model_dml.onnx"});
  const struct {
    const char *device, *says;
    Code code;
    std::vector<std::string> words;
  } cases[] = {
      {"onnxruntime:dml",
       "OgaCreateModelFromConfig=DML provider requested, but the installed GenAI has not been "
       "built "
       "with DML support",
       Code::kUnsupported,
       {"model_dml.onnx", "opened on dml", "onnxruntime-genai-directml"}},
      {"onnxruntime:cuda",
       "OgaCreateModelFromConfig=Cuda interface not available: Failed to load library: "
       "libcublasLt.so.12: "
       "cannot open shared object file",
       Code::kUnsupported,
       {"libcublasLt.so.12", "onnxruntime-genai-cuda"}},
      {"onnxruntime:cuda",
       "OgaCreateModelFromConfig=CUDA failure 2: out of memory ; GPU=0",
       Code::kOutOfMemory,
       {"opened on cuda", "--context", "--device cpu"}},
      {"onnxruntime:dml", "OgaConfigAppendProvider=what", Code::kUnsupported, {"DML", "what"}},
      {"onnxruntime:dml:1", "OgaConfigSetProviderOption=what", Code::kUnsupported, {"DML"}},
      {"onnxruntime:cpu",
       "OgaCreateConfig=Error encountered while parsing genai_config.json: Unknown value "
       "\"cache_slack\" at line 30",
       Code::kUnsupported,
       {"genai_config.json", "another version", "cache_slack", "phial export"}},
      {"onnxruntime:cpu", "OgaConfigOverlay=what", Code::kUnsupported, {"what"}},
  };
  for (const auto& c : cases) {
    const FailOn fail(c.says);
    expect_error(c.code, c.words, [&] { open_fake(package, c.device); });
  }
  EXPECT_EQ(next(*open_fake(package, "onnxruntime:cpu"), {5}), 6) << "nothing stays behind";
}

TEST(onnxruntime_faults, a_step_that_fails_changes_nothing) {
  const TempFolder temp;
  const auto package =
      fake_package(temp.path() / "package", "cpu", {"model.onnx", "model_dml.onnx"});
  SessionOptions options;
  options.context = 64;
  for (const char* device : {"onnxruntime:cpu", "onnxruntime:dml"}) {
    const auto session = open_fake(package, device, options);
    for (const char* function :
         {"OgaCreateGeneratorParams", "OgaCreateGenerator", "OgaGenerator_AppendTokens"}) {
      const FailOn fail(std::string(function) + "=887A0006 the GPU will not respond");
      expect_error(Code::kUnsupported, {"took too long", "887A0006"},
                   [&] { next(*session, {4, 5}); });
      EXPECT_EQ(session->length(0), 0) << function;
    }
    EXPECT_EQ(next(*session, {4, 5}), 6);
    for (const char* function :
         {"OgaGenerator_AppendTokens", "OgaGenerator_RewindTo", "OgaGenerator_SetLogits",
          "OgaGenerator_GenerateNextToken", "OgaGenerator_GetLogits", "OgaGenerator_GetOutput"}) {
      session->truncate(0, 2);
      EXPECT_EQ(next(*session, {30}), 31);
      session->truncate(0, 2);  // so that going back is tried too
      {
        const FailOn fail(std::string(function) + "=out of memory");
        try {
          EXPECT_EQ(next(*session, {40}), 41);  // not every way calls every function
        } catch (const Error& error) {
          EXPECT_EQ(error.code(), Code::kOutOfMemory) << error.what();
          EXPECT_EQ(session->length(0), 2);
        }
      }
      session->truncate(0, 2);
      EXPECT_EQ(next(*session, {50}), 51) << function;
      EXPECT_EQ(session->length(0), 3);
    }
  }
}

}  // namespace
}  // namespace phial
