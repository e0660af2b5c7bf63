// SPDX-License-Identifier: Apache-2.0
// Writing packages: what stays after a kill or on a full disk, as far as POSIX can show it.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "package/writer.h"
#include "small_model.h"

namespace phial {
namespace {

std::vector<std::string> names_in(const fs::path& folder) {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(folder))
    names.push_back(entry.path().filename().string());
  std::sort(names.begin(), names.end());
  return names;
}

TEST(Writer, KilledHalfWayItLeavesNothingThatOpens) {
  const TempFolder temp;
  const fs::path source = small_checkpoint(temp), destination = temp.path() / "p";
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    QuantizeOptions options;
    options.recipe = recipe_of(WeightPrecision::kInt8);
    options.threads = 1;
    options.progress = [](const Progress& p) {
      if (2 * p.done_bytes > p.total_bytes) ::raise(SIGKILL);
    };
    try {
      quantize(source, destination, options);
    } catch (...) {
    }
    ::_exit(0);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
  EXPECT_FALSE(fs::exists(destination));
  const auto names = names_in(temp.path());
  ASSERT_EQ(names.size(), 2u);
  ASSERT_TRUE(contains(names[0], "p.partial-"));
  EXPECT_TRUE(contains(error_of([&] { Package::open(temp.path() / names[0]); }), "not found: "));
  quantize_small(source, destination,
                 recipe_of(WeightPrecision::kInt8));  // and the next attempt isn't disturbed
  EXPECT_EQ(error_of([&] { Package::open(destination); }), "none");
}

TEST(Writer, FullDiskIsAnIoErrorThatNamesTheFile) {
  const TempFolder temp;
  const fs::path source = small_checkpoint(temp);
  rlimit before;
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
  auto handler = ::signal(
      SIGXFSZ,
      SIG_IGN);  // then a write past the limit fails with EFBIG, as on a full disk with ENOSPC
  rlimit small = before;
  small.rlim_cur = 100000;
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &small), 0);
  const std::string error = error_of(
      [&] { quantize_small(source, temp.path() / "p", recipe_of(WeightPrecision::kInt8)); });
  ::setrlimit(RLIMIT_FSIZE, &before);
  ::signal(SIGXFSZ, handler);
  EXPECT_TRUE(contains(error, "input/output error: ") && contains(error, kWeightsFile)) << error;
  EXPECT_EQ(names_in(temp.path()), (std::vector<std::string>{"plain-bf16"}));
}

}  // namespace
}  // namespace phial
