// SPDX-License-Identifier: Apache-2.0
// What needs a POSIX system to be shown: a full disk, a killed process.
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

#include "base/error.h"
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

}  // namespace
}  // namespace phial
