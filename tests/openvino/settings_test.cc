// SPDX-License-Identifier: Apache-2.0
// The parts that need no OpenVINO: settings, lengths, names, messages.
#include "settings.h"

#include <gtest/gtest.h>

#include "expect_error.h"
#include "npu.h"
#include "target.h"

namespace phial::ov {
namespace {

Settings parse(std::vector<std::string> settings) { return parse_settings(settings); }

TEST(openvino_settings, properties_pass_through_and_the_last_of_a_name_counts) {
  const Settings settings = parse({"NUM_STREAMS=2", "CACHE_DIR=", "NUM_STREAMS=1", "A=b=c"});
  ASSERT_EQ(settings.properties.size(), 3u);
  EXPECT_EQ(*settings.property("NUM_STREAMS"), "1");
  EXPECT_EQ(*settings.property("CACHE_DIR"), "");
  EXPECT_EQ(*settings.property("A"), "b=c");
  EXPECT_EQ(settings.property("B"), nullptr);
}

TEST(openvino_settings, own_settings) {
  const Settings settings =
      parse({"npu-prompt=2000", "npu-response=300", "npu-prefill-hint=static",
             "npu-generate-hint=best-perf", "npu-turbo=yes", "cache=no", "library=/x"});
  EXPECT_EQ(settings.npu_prompt, 2000);
  EXPECT_EQ(settings.npu_response, 300);
  EXPECT_EQ(settings.npu_prefill_hint, "STATIC");
  EXPECT_EQ(settings.npu_generate_hint, "BEST_PERF");
  EXPECT_TRUE(settings.npu_turbo);
  EXPECT_EQ(settings.cache, false);
  EXPECT_EQ(settings.library, "/x");
  for (const char* wrong : {"npu-prompt=0", "npu-prompt=many", "npu-prompt=9999999999999",
                            "npu-prefill-hint=fast", "npu-turbo=maybe", "npu=1"})
    expect_error(Code::kInvalidArgument, {}, [&] { parse({wrong}); });
}

TEST(openvino_settings, devices_have_two_names) {
  EXPECT_EQ(to_target("openvino:GPU.1").device, "GPU.1");
  EXPECT_EQ(to_target("openvino:GPU.1").kind, Target::Kind::kGpu);
  EXPECT_EQ(to_target("CPU").id, "openvino:CPU");
  EXPECT_EQ(to_target("openvino:npuw-on-cpu").device, "NPU");
  EXPECT_TRUE(to_target("openvino:npuw-on-cpu").npuw());
  EXPECT_EQ(to_target("openvino:HETERO:GPU,CPU").kind, Target::Kind::kOther);
}

TEST(openvino_settings, the_npus_lengths) {
  Phi3Config config;
  config.max_positions = config.original_max_positions = 4096;
  const Room first = first_room(config, {}, 4096);
  EXPECT_EQ(first.prompt, 1024);
  EXPECT_EQ(npu_total(first), 1024 + 128 - 1);
  EXPECT_EQ(npu_context(config, first, 4096, true), 4096);
  EXPECT_EQ(npu_context(config, first, 4096, false), 1151);
  EXPECT_EQ(next_room(first, 1025, config).prompt, 2048);
  EXPECT_EQ(next_room(first, 3000, config).prompt, 4096);
  EXPECT_EQ(next_room(first, 1000, config).prompt, 2048) << "a reply that outgrows it";
  config.max_positions = 131072;
  config.longrope.emplace();
  EXPECT_EQ(npu_context(config, first, 131072, true), 4096) << "the short factors end there";
  EXPECT_EQ(next_room({4096, 128}, 5000, config).prompt, 4096);
}

TEST(openvino_settings, the_npu_never_falls_back_behind_our_back) {
  for (const char* id : {"openvino:NPU", "openvino:npuw-on-cpu"}) {
    std::string devices;
    for (const auto& [key, value] : npu_properties(to_target(id), {}, {128, 64}))
      if (key == "NPUW_DEVICES") devices = value;
    EXPECT_EQ(devices, std::string(id) == "openvino:NPU" ? "NPU" : "CPU");
  }
}

TEST(openvino_settings, openvinos_messages_without_positions) {
  EXPECT_EQ(clean_message("Exception from src/a.cpp:1:\nException from src/b.cpp:2:\nNo such "
                          "property: X.\n\n"),
            "No such property: X");
  EXPECT_EQ(clean_message("one.\ntwo"), "one; two");
  EXPECT_EQ(clean_message("Loading failed. Error: Exception from src/vcl_api.cpp:22:\nNo file"),
            "Loading failed. Error:; No file");
  EXPECT_NE(explain_npu_failure("plugin_compiler_adapter.cpp:54: VCL compiler loading failed")
                .find("NPU_COMPILER_TYPE=DRIVER"),
            std::string::npos);
}

TEST(openvino_settings, the_npus_driver_is_judged_by_its_number) {
  for (const char* fine : {"", "0", "unknown", "1738195200", "1775131341", "3104", "4082"})
    EXPECT_EQ(npu_driver_why_not(fine), "") << fine;
  // linux-npu-driver 1.10.1 and 1.5.0.
  EXPECT_NE(npu_driver_why_not("1734688392").find("2024-12-20"), std::string::npos);
  EXPECT_NE(npu_driver_why_not("1718811630").find("expected 1.13.0"), std::string::npos);
  EXPECT_NE(npu_driver_why_not("2408").find("expected 32.0.100.3104"), std::string::npos);
}

}  // namespace
}  // namespace phial::ov
