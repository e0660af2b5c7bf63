// SPDX-License-Identifier: Apache-2.0
#include "backend/compile_cache.h"

#include <gtest/gtest.h>
#if !defined(_WIN32)
#include <unistd.h>
#endif

#include <chrono>
#include <cstdlib>
#include <fstream>

#include "expect_error.h"
#include "set_environment.h"
#include "temp_folder.h"

namespace phial {
namespace {

std::string key(char c) { return std::string(64, c); }

void write(const fs::path& file, const std::string& text) {
  std::ofstream(file, std::ios::binary) << text;
}

// Stores `bytes` under a key; what store() says.
std::string put(const CompileCache& cache, char c, size_t bytes) {
  std::string problem;
  const fs::path prepared = cache.prepare(problem);
  EXPECT_EQ(problem, "");
  write(prepared / "model.blob", std::string(bytes, c));
  return cache.store(prepared, key(c), std::string("model ") + c);
}

void age(const CompileCache& cache, char c, int hours) {
  fs::last_write_time(cache.folder() / key(c) / "entry.json",
                      fs::file_time_type::clock::now() - std::chrono::hours(hours));
}

TEST(compile_cache, what_is_stored_is_found) {
  const TempFolder folder;
  const CompileCache cache(folder.path() / "compiled", 1 << 20);
  EXPECT_TRUE(cache.find(key('a')).empty());
  EXPECT_EQ(put(cache, 'a', 1000), "");
  const fs::path entry = cache.find(key('a'));
  ASSERT_FALSE(entry.empty());
  EXPECT_EQ(fs::file_size(entry / "model.blob"), 1000u);
  const auto list = cache.list();
  ASSERT_EQ(list.size(), 1u);
  EXPECT_EQ(list[0].what, "model a");
  EXPECT_TRUE(list[0].sound);
  EXPECT_GT(list[0].bytes, 1000u);
  EXPECT_GT(cache.clear(), 1000u);
  EXPECT_TRUE(cache.list().empty());
}

TEST(compile_cache, damage_is_noticed_wherever_it_is) {
  const TempFolder folder;
  const CompileCache cache(folder.path(), 1 << 20);
  for (size_t at = 0; at < 1000; at += 37) {
    ASSERT_EQ(put(cache, 'a', 1000), "");
    std::fstream file(folder.path() / key('a') / "model.blob",
                      std::ios::binary | std::ios::in | std::ios::out);
    file.seekp(static_cast<std::streamoff>(at));
    file.put('b');
    file.close();
    EXPECT_TRUE(cache.find(key('a')).empty()) << at;
    EXPECT_FALSE(fs::exists(folder.path() / key('a'))) << "a damaged entry is dropped";
  }
  const auto spoil = [&](const std::function<void(const fs::path&)>& how) {
    ASSERT_EQ(put(cache, 'a', 1000), "");
    how(folder.path() / key('a'));
    EXPECT_TRUE(cache.find(key('a')).empty());
  };
  spoil([](const fs::path& entry) { fs::resize_file(entry / "model.blob", 999); });
  spoil([](const fs::path& entry) { fs::remove(entry / "model.blob"); });
  spoil([](const fs::path& entry) { fs::remove(entry / "entry.json"); });
  spoil([](const fs::path& entry) { write(entry / "entry.json", "{\"what\": 3"); });
  spoil([](const fs::path& entry) { write(entry / "more.blob", "x"); });
}

TEST(compile_cache, what_was_unused_for_longest_goes_first) {
  const TempFolder folder;
  const CompileCache cache(folder.path(), 3000);
  put(cache, 'a', 1000);
  put(cache, 'b', 1000);
  age(cache, 'a', 3);
  age(cache, 'b', 2);
  EXPECT_FALSE(cache.find(key('a')).empty());  // used: now b is the older one
  put(cache, 'c', 1000);
  EXPECT_TRUE(cache.find(key('b')).empty());
  EXPECT_FALSE(cache.find(key('a')).empty());
  EXPECT_FALSE(cache.find(key('c')).empty());
  EXPECT_NE(put(cache, 'd', 5000).find("PHIAL_CACHE_SIZE"), std::string::npos);
  EXPECT_TRUE(cache.find(key('d')).empty());
}

TEST(compile_cache, of_two_equal_results_one_stays) {
  const TempFolder folder;
  const CompileCache cache(folder.path(), 1 << 20);
  std::string problem;
  const fs::path one = cache.prepare(problem), two = cache.prepare(problem);
  ASSERT_NE(one, two);
  write(one / "model.blob", "same");
  write(two / "model.blob", "same");
  EXPECT_EQ(cache.list().size(), 2u);  // both at work
  EXPECT_EQ(cache.store(one, key('a'), "x"), "");
  EXPECT_EQ(cache.store(two, key('a'), "x"), "");
  EXPECT_FALSE(fs::exists(two));
  EXPECT_FALSE(cache.find(key('a')).empty());
  EXPECT_EQ(cache.list().size(), 1u);
}

TEST(compile_cache, a_rewritten_entry_can_be_sealed_again) {
  const TempFolder folder;
  const CompileCache cache(folder.path(), 1 << 20);
  put(cache, 'a', 10);
  write(folder.path() / key('a') / "model.blob", "written anew");
  EXPECT_EQ(cache.reseal(key('a'), "x"), "");
  EXPECT_FALSE(cache.find(key('a')).empty());
}

TEST(compile_cache, remains_of_killed_processes_go_after_a_day) {
  const TempFolder folder;
  const CompileCache cache(folder.path(), 1 << 20);
  std::string problem;
  const fs::path old = cache.prepare(problem), young = cache.prepare(problem);
  fs::last_write_time(old, fs::file_time_type::clock::now() - std::chrono::hours(25));
  put(cache, 'a', 10);
  EXPECT_FALSE(fs::exists(old));
  EXPECT_TRUE(fs::exists(young));
  cache.clear();
  EXPECT_FALSE(fs::exists(young));
}

TEST(compile_cache, a_place_that_cannot_be_written_is_a_problem_not_an_error) {
  const TempFolder folder;
  const CompileCache in_a_file(folder.write("file", "") / "compiled", 1 << 20);
  std::string problem;
  EXPECT_TRUE(in_a_file.prepare(problem).empty());
  EXPECT_NE(problem.find("file"), std::string::npos) << problem;
  EXPECT_TRUE(in_a_file.find(key('a')).empty());
  EXPECT_TRUE(in_a_file.list().empty());
#if defined(_WIN32)
  GTEST_SKIP() << "Windows has no read-only folders";
#else
  if (::geteuid() == 0) GTEST_SKIP() << "root may write into a read-only folder";
#endif
  fs::create_directory(folder.path() / "compiled");
  fs::permissions(folder.path() / "compiled", fs::perms::owner_read | fs::perms::owner_exec);
  const CompileCache read_only(folder.path() / "compiled", 1 << 20);
  EXPECT_TRUE(read_only.prepare(problem).empty());
  EXPECT_NE(problem.find("compiled"), std::string::npos) << problem;
}

TEST(compile_cache, the_users_place_and_size_come_from_the_environment) {
#if defined(_WIN32)
  const char *variable = "LOCALAPPDATA", *place = "C:\\local";
  const fs::path expected = "C:\\local\\phial\\cache\\compiled";
#else
  const char *variable = "XDG_CACHE_HOME", *place = "/xdg";
  const fs::path expected = "/xdg/phial/compiled";
#endif
  set_environment("PHIAL_CACHE", "/somewhere");
  set_environment("PHIAL_CACHE_SIZE", "0");
  EXPECT_EQ(CompileCache::of_user().folder(), "/somewhere/compiled");
  EXPECT_FALSE(CompileCache::of_user().enabled());
  set_environment("PHIAL_CACHE_SIZE", "many");
  expect_error(Code::kInvalidArgument, {"PHIAL_CACHE_SIZE", "many"},
               [] { CompileCache::of_user(); });
  unset_environment("PHIAL_CACHE_SIZE");
  unset_environment("PHIAL_CACHE");
  set_environment(variable, place);
  EXPECT_EQ(CompileCache::of_user().folder(), expected);
  EXPECT_TRUE(CompileCache::of_user().enabled());
  unset_environment(variable);
}

TEST(compile_cache, sizes) {
  EXPECT_EQ(parse_size("4096"), 4096u);
  EXPECT_EQ(parse_size("8G"), uint64_t{8} << 30);
  EXPECT_EQ(parse_size("1.5GiB"), uint64_t{3} << 29);
  EXPECT_EQ(parse_size("500mb"), uint64_t{500} << 20);
  for (const char* wrong : {"", "G", "-1", "8X", "8GG", "1e30", "nan"})
    EXPECT_FALSE(parse_size(wrong)) << wrong;
}

}  // namespace
}  // namespace phial
