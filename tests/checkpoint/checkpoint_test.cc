// SPDX-License-Identifier: Apache-2.0
#include "checkpoint/checkpoint.h"

#include <gtest/gtest.h>

#include <cstring>

#include "expect_error.h"
#include "temp_folder.h"
#include "tensor/half.h"

namespace phial {
namespace {

constexpr const char* kConfig = R"({"model_type":"phi3"})";

// One tensor a file entry; each holds 1, 2, 3 ... in its type.
std::string shard(const std::vector<SafetensorsEntry>& entries) {
  std::string out = safetensors_header(entries);
  for (const SafetensorsEntry& e : entries)
    for (int64_t i = 1; i <= element_count(e.shape); ++i) {
      const float value = static_cast<float>(i);
      const uint16_t half = e.dtype == DType::kF16 ? f32_to_f16(value) : f32_to_bf16(value);
      if (e.dtype == DType::kF32)
        out.append(reinterpret_cast<const char*>(&value), 4);
      else
        out.append(reinterpret_cast<const char*>(&half), 2);
    }
  return out;
}

std::vector<float> floats(const TensorView& tensor) {
  std::vector<float> out(static_cast<size_t>(element_count(tensor.shape)));
  to_f32(tensor, 0, static_cast<int64_t>(out.size()), out.data());
  return out;
}

TEST(Checkpoint, ReadsOneFile) {
  TempFolder folder;
  folder.write("config.json", kConfig);
  folder.write(
      "model.safetensors",
      shard({{"f", DType::kF32, {2, 2}}, {"h", DType::kF16, {3}}, {"b", DType::kBF16, {2}}}));
  const Checkpoint checkpoint(folder.path());
  EXPECT_EQ(checkpoint.config().at("model_type"), "phi3");
  EXPECT_EQ(checkpoint.files().size(), 1u);
  EXPECT_EQ(checkpoint.weight_bytes(), 16u + 6 + 4);
  EXPECT_TRUE(checkpoint.has("h"));
  EXPECT_FALSE(checkpoint.has("x"));
  EXPECT_EQ(floats(checkpoint.tensor("f")), (std::vector<float>{1, 2, 3, 4}));
  EXPECT_EQ(floats(checkpoint.tensor("h")), (std::vector<float>{1, 2, 3}));
  EXPECT_EQ(floats(checkpoint.tensor("b")), (std::vector<float>{1, 2}));
  expect_error(Code::kNotFound, {"'x'", "model.safetensors"}, [&] { checkpoint.tensor("x"); });
}

class Sharded : public testing::Test {
 protected:
  Sharded() {
    folder_.write("config.json", kConfig);
    folder_.write("a.safetensors",
                  shard({{"one", DType::kF32, {2}}, {"unlisted", DType::kF32, {1}}}));
    folder_.write("b.safetensors", shard({{"two", DType::kBF16, {3}}}));
  }
  void index(const std::string& weight_map) {
    folder_.write("model.safetensors.index.json",
                  "{\"metadata\":{},\"weight_map\":" + weight_map + "}");
  }
  void expect_open_error(Code code, const std::vector<std::string>& words) {
    expect_error(code, words, [&] { Checkpoint checkpoint(folder_.path()); });
  }
  TempFolder folder_;
};

TEST_F(Sharded, ReadsWhatTheIndexNames) {
  index(R"({"one":"a.safetensors","two":"b.safetensors"})");
  const Checkpoint checkpoint(folder_.path());
  EXPECT_EQ(checkpoint.files().size(), 2u);
  EXPECT_EQ(checkpoint.tensors().size(), 2u);
  EXPECT_EQ(floats(checkpoint.tensor("one")), (std::vector<float>{1, 2}));
  EXPECT_EQ(floats(checkpoint.tensor("two")), (std::vector<float>{1, 2, 3}));
  expect_error(Code::kNotFound, {"'three'", "a.safetensors", "b.safetensors"},
               [&] { checkpoint.tensor("three"); });
}

TEST_F(Sharded, NamesMissingShards) {
  index(R"({"one":"a.safetensors","two":"c.safetensors","three":"d.safetensors"})");
  expect_open_error(Code::kNotFound, {"3 shards", "c.safetensors, d.safetensors"});
}

TEST_F(Sharded, NamesTensorsThatAreNotInTheirShard) {
  index(R"({"one":"a.safetensors","two":"a.safetensors"})");
  expect_open_error(Code::kCorrupt, {"'two'", "a.safetensors"});
}

TEST_F(Sharded, RefusesPathsThatLeaveTheFolder) {
  for (const char* name : {"../a.safetensors", "/etc/hosts", "..", ".", "", "x/a.safetensors",
                           "..\\\\a", "c:a", "a\\u0000b"}) {
    index(std::string(R"({"one":")") + name + "\"}");
    expect_open_error(Code::kCorrupt, {"'one'", "index.json"});
  }
}

TEST_F(Sharded, RefusesAnIndexThatIsNone) {
  index("{}");
  expect_open_error(Code::kCorrupt, {"index.json", "no tensor"});
  index("[]");
  expect_open_error(Code::kCorrupt, {"index.json", "weight_map"});
  index(R"({"one":7})");
  expect_open_error(Code::kCorrupt, {"index.json", "'one'"});
  folder_.write("model.safetensors.index.json", "{");
  expect_open_error(Code::kCorrupt, {"index.json"});
}

TEST_F(Sharded, SaysThatTheIndexIsMissing) {
  fs::rename(folder_.path() / "a.safetensors", folder_.path() / "model-00001-of-00002.safetensors");
  expect_open_error(Code::kNotFound,
                    {"model-00001-of-00002.safetensors", "model.safetensors.index.json"});
}

TEST_F(Sharded, NamesADamagedShard) {
  index(R"({"one":"a.safetensors","two":"b.safetensors"})");
  fs::resize_file(folder_.path() / "b.safetensors",
                  fs::file_size(folder_.path() / "b.safetensors") - 1);
  expect_open_error(Code::kCorrupt, {"b.safetensors", "'two'", "cut short"});
}

TEST(Checkpoint, SaysTheTypeOfATensorItCannotRead) {
  TempFolder folder;
  folder.write("config.json", kConfig);
  const std::string header = R"({"w":{"dtype":"F8_E4M3","shape":[2],"data_offsets":[0,2]}})";
  std::string bytes(8, '\0');
  bytes[0] = static_cast<char>(header.size());
  folder.write("model.safetensors", bytes + header + "xx");
  const Checkpoint checkpoint(folder.path());
  expect_error(Code::kUnsupported, {"'w'", "F8_E4M3", "model.safetensors"},
               [&] { checkpoint.tensor("w"); });
}

TEST(Checkpoint, RefusesFoldersWithoutAModel) {
  TempFolder folder;
  auto expect_open_error = [&](Code code, const std::vector<std::string>& words) {
    expect_error(code, words, [&] { Checkpoint checkpoint(folder.path()); });
  };
  expect_error(Code::kNotFound, {"none"}, [&] { Checkpoint checkpoint(folder.path() / "none"); });
  expect_open_error(Code::kNotFound, {"config.json"});
  const fs::path file = folder.write("config.json", kConfig);
  expect_error(Code::kInvalidArgument, {"config.json", "folder"},
               [&] { Checkpoint checkpoint(file); });
  expect_open_error(Code::kNotFound, {"model.safetensors", "model.safetensors.index.json"});
  folder.write("pytorch_model.bin", "x");
  expect_open_error(Code::kUnsupported, {"pytorch_model.bin", "safe_serialization"});
  folder.write("model.safetensors", "");
  expect_open_error(Code::kCorrupt, {"model.safetensors", "0 bytes"});
  folder.write("config.json", "[");
  expect_open_error(Code::kCorrupt, {"config.json"});
}

}  // namespace
}  // namespace phial
