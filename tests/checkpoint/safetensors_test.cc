// SPDX-License-Identifier: Apache-2.0
#include "checkpoint/safetensors.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstring>

#include "expect_error.h"
#include "temp_folder.h"

namespace phial {
namespace {

// A file with this header text and so many bytes of data; `length` overrides the header length that
// it states.
std::string file_of(const std::string& header, size_t data_bytes, uint64_t length = UINT64_MAX) {
  if (length == UINT64_MAX) length = header.size();
  std::string out(8, '\0');
  std::memcpy(out.data(), &length, 8);
  out += header;
  for (size_t i = 0; i < data_bytes; ++i) out += static_cast<char>(i);
  return out;
}

std::string entry(const std::string& name, const std::string& dtype, const std::string& shape,
                  const std::string& range) {
  return fmt::format(R"("{}":{{"dtype":"{}","shape":{},"data_offsets":{}}})", name, dtype, shape,
                     range);
}

std::string header_of(const std::vector<std::string>& entries) {
  return fmt::format("{{{}}}", fmt::join(entries, ","));
}

class SafetensorsFile : public testing::Test {
 protected:
  // Opening must fail with kCorrupt, naming the file and these words.
  void expect_corrupt(const std::string& bytes, std::vector<std::string> words) {
    const fs::path path = folder_.write("m.safetensors", bytes);
    words.push_back("m.safetensors");
    expect_error(Code::kCorrupt, words, [&] { Safetensors file(path); });
  }
  void expect_corrupt_header(const std::string& header, size_t data_bytes,
                             std::vector<std::string> words) {
    SCOPED_TRACE(header);
    expect_corrupt(file_of(header, data_bytes), std::move(words));
  }
  TempFolder folder_;
};

TEST_F(SafetensorsFile, ReadsWhatItsOwnHeaderWriterSays) {
  const std::vector<SafetensorsEntry> entries = {{"a", DType::kF32, {2, 3}},
                                                 {"b", DType::kBF16, {4}},
                                                 {"scalar", DType::kF16, {}},
                                                 {"none", DType::kI64, {0, 5}}};
  const std::string header = safetensors_header(entries, {{"format", "pt"}});
  EXPECT_EQ(header.size() % 8, 0u);
  const fs::path path = folder_.write("m.safetensors", header + std::string(24 + 8 + 2, 'x'));
  const Safetensors file(path);
  ASSERT_EQ(file.tensors().size(), 4u);
  const std::byte* data = file.file().data() + header.size();
  const TensorView& a = file.tensors().at("a");
  EXPECT_EQ(a.name, "a");
  EXPECT_EQ(a.dtype, DType::kF32);
  EXPECT_EQ(a.shape, (Shape{2, 3}));
  EXPECT_EQ(a.data, data);
  EXPECT_EQ(file.tensors().at("b").data, data + 24);
  EXPECT_EQ(file.tensors().at("scalar").data, data + 32);
  EXPECT_EQ(file.tensors().at("scalar").bytes(), 2u);
  EXPECT_EQ(file.tensors().at("none").bytes(), 0u);
}

TEST_F(SafetensorsFile, OrderInTheHeaderDoesNotMatter) {
  const std::string header =
      header_of({entry("late", "U8", "[3]", "[2,5]"), entry("early", "I8", "[2]", "[0,2]")}) +
      "   ";
  const Safetensors file(folder_.write("m.safetensors", file_of(header, 5)));
  EXPECT_EQ(static_cast<int>(file.tensors().at("late").data[0]), 2);
  EXPECT_EQ(static_cast<int>(file.tensors().at("early").data[0]), 0);
}

TEST_F(SafetensorsFile, SetsOtherTypesAside) {
  const std::string header =
      header_of({entry("f8", "F8_E4M3", "[2]", "[0,2]"), entry("b", "U8", "[1]", "[2,3]"),
                 entry("future", "X7", "[9]", "[3,5]")});
  const Safetensors file(folder_.write("m.safetensors", file_of(header, 5)));
  EXPECT_EQ(file.tensors().size(), 1u);
  EXPECT_EQ(file.other_types(),
            (std::map<std::string, std::string>{{"f8", "F8_E4M3"}, {"future", "X7"}}));
}

TEST_F(SafetensorsFile, AnEmptyHeaderIsAFileWithoutTensors) {
  EXPECT_TRUE(Safetensors(folder_.write("m.safetensors", file_of("{}", 0))).tensors().empty());
}

TEST_F(SafetensorsFile, RefusesFilesTooShort) {
  expect_corrupt("", {"0 bytes"});
  expect_corrupt("1234567", {"7 bytes"});
  expect_corrupt(file_of("{}", 0, 3), {"3 bytes"});
}

TEST_F(SafetensorsFile, RefusesHeaderLengthBombs) {
  expect_corrupt(file_of("{}", 100, uint64_t{1} << 63), {"9223372036854775808"});
  expect_corrupt(file_of("{}", 100, UINT64_MAX - 7), {"18446744073709551608"});
  expect_corrupt(file_of("{}", 100, 100'000'001), {"100000001"});
}

TEST_F(SafetensorsFile, NamesAGitLfsPointer) {
  expect_corrupt("version https://git-lfs.github.com/spec/v1\noid sha256:0123\nsize 4972489328\n",
                 {"git lfs pull"});
}

TEST_F(SafetensorsFile, RefusesHeadersThatAreNotJsonObjects) {
  expect_corrupt_header("hello", 0, {"JSON"});
  expect_corrupt_header("[1]", 0, {"array", "object"});
  expect_corrupt_header("{\"a\":", 0, {"JSON"});
  expect_corrupt_header("{} {}", 0, {"JSON"});
  expect_corrupt_header("{\"a\xff\":1}", 0, {"JSON"});
  expect_corrupt_header("{\"a\":{\"shape\":[[[[[[1]]]]]]}}", 0, {"nests"});
  expect_corrupt_header(std::string(100000, '['), 0, {"nests"});
}

TEST_F(SafetensorsFile, RefusesEntriesThatAreNotEntries) {
  expect_corrupt_header("{\"a\":1}", 0, {"'a'", "object"});
  expect_corrupt_header("{\"a\":{\"shape\":[1],\"data_offsets\":[0,1]}}", 1, {"'a'", "dtype"});
  expect_corrupt_header("{\"a\":{\"dtype\":\"U8\",\"data_offsets\":[0,1]}}", 1, {"'a'", "shape"});
  expect_corrupt_header("{\"a\":{\"dtype\":\"U8\",\"shape\":[1]}}", 1, {"'a'", "data_offsets"});
  expect_corrupt_header("{\"a\":{\"dtype\":7,\"shape\":[1],\"data_offsets\":[0,1]}}", 1,
                        {"'a'", "dtype"});
  expect_corrupt_header(header_of({entry("a", "U8", "7", "[0,1]")}), 1, {"'a'", "shape"});
  expect_corrupt_header(header_of({entry("a", "U8", "[1]", "[0]")}), 1, {"'a'", "data_offsets"});
  expect_corrupt_header(header_of({entry("a", "U8", "[1]", "[0,1,2]")}), 1,
                        {"'a'", "data_offsets"});
}

TEST_F(SafetensorsFile, RefusesShapesThatCannotBe) {
  expect_corrupt_header(header_of({entry("a", "U8", "[-1]", "[0,1]")}), 1, {"'a'", "-1"});
  expect_corrupt_header(header_of({entry("a", "U8", "[1.5]", "[0,1]")}), 1, {"'a'", "1.5"});
  expect_corrupt_header(header_of({entry("a", "U8", "[\"1\"]", "[0,1]")}), 1, {"'a'"});
  expect_corrupt_header(header_of({entry("a", "U8", "[9223372036854775808]", "[0,1]")}), 1,
                        {"'a'"});
  expect_corrupt_header(header_of({entry("a", "U8", "[4294967296,4294967296]", "[0,0]")}), 0,
                        {"'a'"});
  // elements fit in 64 bits, their bytes would wrap round to 0
  expect_corrupt_header(header_of({entry("a", "F32", "[4611686018427387904]", "[0,0]")}), 0,
                        {"'a'"});
}

TEST_F(SafetensorsFile, RefusesSizesThatDoNotMatchTypeAndShape) {
  expect_corrupt_header(header_of({entry("a", "F32", "[2]", "[0,4]")}), 4,
                        {"'a'", "F32", "[2]", "4 bytes"});
  expect_corrupt_header(header_of({entry("a", "F64", "[2]", "[0,4]")}), 4, {"'a'", "F64"});
}

TEST_F(SafetensorsFile, RefusesRangesOutsideTheFile) {
  expect_corrupt_header(header_of({entry("a", "U8", "[4]", "[0,4]")}), 3, {"'a'", "cut short"});
  expect_corrupt_header(
      header_of({entry("a", "U8", "[4]", "[9223372036854775808,9223372036854775812]")}), 4,
      {"'a'"});
  expect_corrupt_header(header_of({entry("a", "U8", "[4]", "[18446744073709551612,0]")}), 4,
                        {"'a'", "after its end"});
  expect_corrupt_header(
      header_of({entry("a", "U8", "[4]", "[36893488147419103232,36893488147419103236]")}), 4,
      {"'a'"});
  expect_corrupt_header(header_of({entry("a", "U8", "[4]", "[-4,0]")}), 4, {"'a'", "-4"});
}

TEST_F(SafetensorsFile, RefusesOverlapsHolesAndRests) {
  const std::string a = entry("a", "U8", "[4]", "[0,4]");
  expect_corrupt_header(header_of({a, entry("b", "U8", "[4]", "[3,7]")}), 7,
                        {"'a'", "'b'", "inside"});
  expect_corrupt_header(header_of({a, entry("b", "U8", "[4]", "[0,4]")}), 4, {"'a'", "'b'"});
  expect_corrupt_header(header_of({a, entry("b", "U8", "[4]", "[5,9]")}), 9,
                        {"'b'", "1 bytes before"});
  expect_corrupt_header(header_of({a}), 6, {"'a'", "2 bytes at the end"});
  expect_corrupt_header("{}", 6, {"6 bytes at the end"});
}

TEST_F(SafetensorsFile, RefusesNamesThatAreThereTwice) {
  const std::string a = entry("a", "U8", "[4]", "[0,4]");
  expect_corrupt_header(header_of({a, a}), 4, {"'a'", "twice"});
  expect_corrupt_header(
      "{\"a\":{\"dtype\":\"U8\",\"dtype\":\"I8\",\"shape\":[1],\"data_offsets\":[0,1]}}", 1,
      {"'dtype'", "twice"});
}

TEST_F(SafetensorsFile, SaysThatAFileIsMissing) {
  expect_error(Code::kNotFound, {"none.safetensors"},
               [&] { Safetensors file(folder_.path() / "none.safetensors"); });
}

}  // namespace
}  // namespace phial
