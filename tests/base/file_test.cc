// SPDX-License-Identifier: Apache-2.0
#include "base/file.h"

#include <gtest/gtest.h>

#include <functional>

#include "base/error.h"
#include "base/write_beside.h"
#include "temp_folder.h"

namespace phial {
namespace {

Code code_of(const std::function<void()>& action) {
  try {
    action();
  } catch (const Error& e) {
    return e.code();
  }
  return Code::kInternal;
}

TEST(ReadFile, GivesBytesAndNamesWhatIsWrong) {
  TempFolder folder;
  const auto path = folder.write("a.txt", std::string("x\0y", 3));
  EXPECT_EQ(read_file(path), std::string("x\0y", 3));
  EXPECT_EQ(code_of([&] { read_file(path, 2); }), Code::kCorrupt);
  EXPECT_EQ(code_of([&] { read_file(folder.path() / "none"); }), Code::kNotFound);
  EXPECT_EQ(code_of([&] { read_file(folder.path()); }), Code::kInvalidArgument);
  std::string out;
  EXPECT_FALSE(read_file_if_there(folder.path() / "none", out));
  EXPECT_TRUE(read_file_if_there(path, out));
}

TEST(MappedFile, MapsMovesAndHints) {
  TempFolder folder;
  MappedFile file(folder.write("a", "hello"));
  file.will_need(0, 100);
  file.drop(3, 1);
  MappedFile other = std::move(file);
  EXPECT_EQ(other.size(), 5u);
  EXPECT_EQ(static_cast<char>(other.bytes()[4]), 'o');
  EXPECT_EQ(MappedFile(folder.write("empty", "")).size(), 0u);
}

TEST(FileWriter, WritesInOrderAndAtOffsets) {
  TempFolder folder;
  FileWriter file(folder.path() / "out");
  file.write("abc");
  file.write("def");
  const std::string patch = "XY";
  file.write_at(1, std::as_bytes(std::span(patch)));
  file.finish();
  EXPECT_EQ(read_file(folder.path() / "out"), "aXYdef");
}

TEST(WriteFileAtomically, ReplacesWholeAndLeavesNothingBeside) {
  TempFolder folder;
  write_file_atomically(folder.path() / "f", "one");
  write_file_atomically(folder.path() / "f", "two");
  EXPECT_EQ(read_file(folder.path() / "f"), "two");
  EXPECT_EQ(std::distance(fs::directory_iterator(folder.path()), fs::directory_iterator()), 1);
  EXPECT_EQ(code_of([&] { write_file_atomically(folder.path() / "no" / "f", "x"); }), Code::kIo);
}

TEST(FolderBeside, AppearsOnlyOnCommit) {
  TempFolder folder;
  const auto destination = folder.path() / "package";
  {
    FolderBeside building(destination);
    write_file_atomically(building.path() / "f", "x");
  }
  EXPECT_TRUE(fs::is_empty(folder.path()));
  FolderBeside building(destination);
  write_file_atomically(building.path() / "f", "x");
  EXPECT_FALSE(fs::exists(destination));
  building.commit();
  EXPECT_EQ(read_file(destination / "f"), "x");
}

TEST(FolderBeside, RefusesWhatIsThereUnlessToldToReplace) {
  TempFolder folder;
  const auto destination = folder.path() / "package";
  fs::create_directory(destination);
  write_file_atomically(destination / "old", "x");
  EXPECT_EQ(code_of([&] { FolderBeside building(destination); }), Code::kInvalidArgument);
  FolderBeside building(destination, true);
  write_file_atomically(building.path() / "new", "y");
  building.commit();
  EXPECT_FALSE(fs::exists(destination / "old"));
  EXPECT_EQ(read_file(destination / "new"), "y");
  EXPECT_EQ(std::distance(fs::directory_iterator(folder.path()), fs::directory_iterator()), 1);
}

}  // namespace
}  // namespace phial
