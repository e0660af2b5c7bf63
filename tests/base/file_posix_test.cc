// SPDX-License-Identifier: Apache-2.0
// What needs a POSIX system to be shown: a full disk, a killed process.
#include <fcntl.h>
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
  const auto faults_of_reading = [&](const auto& prepare) {
    const MappedFile file(folder.path() / "f");
    prepare(file);
    const int64_t before = faults();
    int sum = 0;
    for (size_t at = 0; at < kBytes; at += kPage) sum += static_cast<int>(file.bytes()[at]);
    EXPECT_EQ(sum, static_cast<int>(kBytes / kPage * 'x'));
    return faults() - before;
  };
  constexpr int64_t kFew = 2;  // of what else the process does meanwhile
  const auto by_hand = [](const MappedFile& file) {
    ::madvise(const_cast<std::byte*>(file.data()), file.size(), MADV_POPULATE_READ);
  };
  if (faults_of_reading(by_hand) > kFew)
    GTEST_SKIP() << "this system has no MADV_POPULATE_READ (Linux before 5.14, an emulator)";
  if (faults_of_reading([](const MappedFile&) {}) <= kFew)
    GTEST_SKIP() << "this file system maps whole files at the first fault";
  EXPECT_LE(faults_of_reading(
                [](const MappedFile& file) { EXPECT_TRUE(map_resident(file.bytes().subspan(3))); }),
            kFew);
#else
  GTEST_SKIP() << "built where there is no MADV_POPULATE_READ";
#endif
}

TEST(MapResident, WhatHasToBeReadFromADiskIsLeft) {
#if defined(MADV_POPULATE_READ)
  TempFolder folder;
  const auto path = folder.path() / "f";
  write_file_atomically(path, std::string(9u << 20, 'x'));
  const int fd = ::open(path.c_str(), O_RDONLY);
  ::fsync(fd);
  ::posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
  ::close(fd);
  const MappedFile file(path);
  const auto in_memory = [&](uint64_t offset) {
    unsigned char flags = 0;
    ::mincore(const_cast<std::byte*>(file.data()) + offset, 1, &flags);
    return (flags & 1) != 0;
  };
  if (in_memory(0)) GTEST_SKIP() << "this file system keeps its files in memory";
  const bool end_was = in_memory(8u << 20);  // what was written last may be held a little longer
  EXPECT_FALSE(map_resident(file.bytes()));
  EXPECT_EQ(in_memory(8u << 20), end_was);
#else
  GTEST_SKIP() << "built where there is no MADV_POPULATE_READ";
#endif
}

TEST(MapResident, NoBytesAreNothing) { EXPECT_TRUE(map_resident({})); }

}  // namespace
}  // namespace phial
