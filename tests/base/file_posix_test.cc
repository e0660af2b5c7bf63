// SPDX-License-Identifier: Apache-2.0
// What needs a POSIX system to be shown: a full disk, a killed process.
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

#include "base/error.h"
#include "base/file.h"
#include "base/write_beside.h"
#include "temp_folder.h"

namespace phial {
namespace {

TEST(FileWriter, FullDiskIsAnIoErrorThatNamesTheFile) {
  if (::access("/dev/full", W_OK) != 0) GTEST_SKIP() << "/dev/full isn't there";
  FileWriter file("/dev/full");
  try {
    file.write("x");
    FAIL() << "no error";
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), Code::kIo);
    EXPECT_NE(std::string(e.what()).find("/dev/full"), std::string::npos);
  }
}

TEST(FolderBeside, AKilledProcessLeavesTheDestinationUntouched) {
  TempFolder folder;
  const auto destination = folder.path() / "package";
  const pid_t child = ::fork();
  if (child == 0) {
    FolderBeside building(destination);
    write_file_atomically(building.path() / "f", "x");
    ::raise(SIGKILL);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFSIGNALED(status));
  EXPECT_FALSE(fs::exists(destination));
}

int64_t faults() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  return usage.ru_minflt;
}

TEST(MapResident, WhatWasMappedFaultsNoMore) {
#if defined(MADV_POPULATE_READ)
  TempFolder folder;
  constexpr size_t kBytes = 9u << 20, kPage = 4096;
  write_file_atomically(folder.path() / "f", std::string(kBytes + 5, 'x'));
  const auto faults_of_reading = [&](bool map) {
    const MappedFile file(folder.path() / "f");
    if (map && ::madvise(const_cast<std::byte*>(file.data()), kPage, MADV_POPULATE_READ) != 0)
      return int64_t{-1};
    if (map) EXPECT_TRUE(map_resident(file.bytes().subspan(3)));
    const int64_t before = faults();
    int sum = 0;
    for (size_t at = 0; at < kBytes; at += kPage) sum += static_cast<int>(file.bytes()[at]);
    EXPECT_EQ(sum, static_cast<int>(kBytes / kPage * 'x'));
    return faults() - before;
  };
  const int64_t mapped = faults_of_reading(true);
  if (mapped < 0) GTEST_SKIP() << "this system has no MADV_POPULATE_READ (Linux 5.14)";
  EXPECT_GT(faults_of_reading(false), 4);
  EXPECT_LE(mapped, 2);
#else
  GTEST_SKIP() << "built where there is no MADV_POPULATE_READ";
#endif
}

TEST(MapResident, NoBytesAreNothing) { EXPECT_TRUE(map_resident({})); }

}  // namespace
}  // namespace phial
