// SPDX-License-Identifier: Apache-2.0
// The system's side of base: names in any script, long paths, variables, memory that is only asked
// for.
#include "base/system.h"

#include <gtest/gtest.h>

#include <cstring>

#include "base/address_range.h"
#include "base/cpu_info.h"
#include "base/error.h"
#include "base/shared_library.h"
#include "base/write_beside.h"
#include "set_environment.h"
#include "temp_folder.h"

namespace phial {
namespace {

TEST(System, PathsAreUtf8WhateverTheCodePage) {
  const TempFolder folder;
  const fs::path place = folder.path() / "grün 日本 😀 & co";
  fs::create_directory(place);
  write_file_atomically(place / "Ärger.txt", "text");
  EXPECT_EQ(read_file(place / "Ärger.txt"), "text");
  EXPECT_EQ(MappedFile(place / "Ärger.txt").size(), 4u);
  EXPECT_EQ((place / "Ärger.txt").filename().string(), "Ärger.txt");
  FolderBeside built(place / "neu ü");
  write_file_atomically(built.path() / "日本", "x");
  built.commit();
  EXPECT_EQ(read_file(place / "neu ü" / "日本"), "x");
  try {
    read_file(place / "fehlt ü");
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::kNotFound);
    EXPECT_NE(std::string(error.what()).find("fehlt ü"), std::string::npos) << error.what();
  }
}

TEST(System, PathsMayBeLongerThan260) {
  const TempFolder folder;
  fs::path deep = folder.path();
  while (deep.string().size() < 400) deep /= std::string(40, 'd');
  try {
    fs::create_directories(deep);
  } catch (const fs::filesystem_error&) {
    GTEST_SKIP() << "this system's setting doesn't allow long paths";
  }
  write_file_atomically(deep / "f", "text");
  EXPECT_EQ(read_file(deep / "f"), "text");
  EXPECT_EQ(MappedFile(deep / "f").size(), 4u);
}

TEST(System, VariablesAreUtf8) {
  EXPECT_EQ(environment("PHIAL_TEST_VARIABLE"), std::nullopt);
  set_environment("PHIAL_TEST_VARIABLE", "größer 日本");
  EXPECT_EQ(environment("PHIAL_TEST_VARIABLE"), "größer 日本");
  set_environment("PHIAL_TEST_VARIABLE", std::string(3000, 'x'));
  EXPECT_EQ(environment("PHIAL_TEST_VARIABLE"), std::string(3000, 'x'));
  unset_environment("PHIAL_TEST_VARIABLE");
}

TEST(System, LocalTimeKnowsTheUsualConversions) {
  EXPECT_EQ(local_time(""), "");
  EXPECT_EQ(local_time("day"), "day");
  const std::string date = local_time("%Y-%m-%d");
  EXPECT_EQ(date.size(), 10u);
  EXPECT_EQ(local_time("%F"), date);  // not in C89, Windows' own doesn't know it
  EXPECT_EQ(local_time("100%%"), "100%");
}

TEST(System, FactsAboutTheMachine) {
  EXPECT_GE(available_threads(), 1);
  EXPECT_GT(physical_memory_bytes(), uint64_t{1} << 28);
  EXPECT_GT(peak_rss_bytes(), uint64_t{1} << 18);
  EXPECT_NE(process_id(), 0u);
}

TEST(AddressRange, IsZeroWhereCommittedAndAgainAfterGivingBack) {
  const auto range = AddressRange::reserve(uint64_t{1} << 36, false);  // 64 GiB
  ASSERT_TRUE(range);
  const uint64_t at = uint64_t{1} << 35, bytes = 1 << 20;
  ASSERT_TRUE(range->commit(at, at + bytes));
  EXPECT_EQ(range->data()[at], std::byte{0});
  std::memset(range->data() + at, 1, bytes);
  ASSERT_TRUE(range->commit(at, at + bytes));  // once more changes nothing
  EXPECT_EQ(range->data()[at + bytes - 1], std::byte{1});
  range->give_back(at, at + bytes);
  ASSERT_TRUE(range->commit(at, at + bytes));
  EXPECT_EQ(range->data()[at], std::byte{0});
  EXPECT_EQ(range->data()[at + bytes - 1], std::byte{0});
}

TEST(SharedLibrary, KnowsTheFileOfCodeAndSaysWhatIsMissing) {
  EXPECT_TRUE(fs::is_regular_file(file_of_code(reinterpret_cast<const void*>(&process_id))));
  const TempFolder folder;
  const fs::path file = folder.write(std::string("no ü") + kSharedLibrarySuffix, "no library");
  try {
    const SharedLibrary library(file);
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::kNotFound);
    EXPECT_NE(std::string(error.what()).find("no ü"), std::string::npos) << error.what();
  }
}

}  // namespace
}  // namespace phial
