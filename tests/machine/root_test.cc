// SPDX-License-Identifier: Apache-2.0
#include "machine/root.h"

#include <gtest/gtest.h>

#include <fstream>

#include "base/error.h"
#include "expect_error.h"
#include "machine/parse.h"
#include "temp_folder.h"

namespace phial {
namespace {

MachineFile parse(std::string_view text) { return parse_machine_file(text, "m.txt"); }

TEST(machine_file, texts_nodes_and_moments) {
  const MachineFile file = parse(
      "# a comment\n\na/b = one\na/c <<\ntwo\nlines\n.\ndev/x (0660 0 992)\na/empty =\n@ 1.5\na/b "
      "= "
      "later\n");
  ASSERT_EQ(file.frames.size(), 2u);
  const auto& first = file.frames[0].nodes;
  EXPECT_EQ(first.at("a/b").text, "one");
  EXPECT_EQ(first.at("a/c").text, "two\nlines");
  EXPECT_EQ(first.at("a/empty").text, "");
  EXPECT_EQ(first.at("dev/x").text, std::nullopt);
  EXPECT_EQ(first.at("dev/x").owner->mode, 0660u);
  EXPECT_EQ(first.at("dev/x").owner->group, 992u);
  EXPECT_EQ(file.frames[1].seconds, 1.5);
  EXPECT_EQ(file.frames[1].nodes.at("a/b").text, "later");
}

TEST(machine_file, says_where_it_is_broken) {
  const std::pair<const char*, const char*> cases[] = {
      {"a", "m.txt:1: expected PATH"},
      {"x = 1\na - b", "m.txt:2: expected '='"},
      {"a <<\nb\n", "m.txt:2: the file ends within a text"},
      {"a (0660 0)", "m.txt:1: expected (mode"},
      {"@ x", "m.txt:1: expected a time"},
      {"@ 2\n@ 1", "m.txt:2: expected a time later"}};
  for (const auto& [text, message] : cases) {
    try {
      parse(text);
      ADD_FAILURE() << text;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), Code::kCorrupt);
      EXPECT_NE(std::string(error.what()).find(message), std::string::npos) << error.what();
    }
  }
}

TEST(root, a_folder_and_a_file_that_say_the_same_read_the_same) {
  const TempFolder folder;
  const fs::path tree = folder.path() / "tree";
  fs::create_directories(tree / "sys/class/drm/card10");
  fs::create_directories(tree / "sys/class/drm/card2");
  const auto write = [](const fs::path& path, const char* text) { std::ofstream(path) << text; };
  write(tree / "sys/class/drm/card2/vendor", "0x8086\n");
  write(tree / "sys/class/drm/card10/vendor", "many\n");
  write(folder.path() / "m.txt",
        "sys/class/drm/card2/vendor = 0x8086\nsys/class/drm/card10/vendor = many\n");
  for (const Root& root : {Root(tree), Root(folder.path() / "m.txt")}) {
    EXPECT_FALSE(root.is_this_computer());
    EXPECT_EQ(root.text("sys/class/drm/card2/vendor"), "0x8086");
    EXPECT_EQ(root.integer("sys/class/drm/card2/vendor"), 0x8086);
    EXPECT_EQ(root.integer("sys/class/drm/card10/vendor"), std::nullopt);
    EXPECT_EQ(root.text("sys/class/drm/card2/none"), std::nullopt);
    EXPECT_EQ(root.entries("sys/class/drm"), (std::vector<std::string>{"card2", "card10"}));
    EXPECT_TRUE(root.entries("sys/class/accel").empty());
    EXPECT_TRUE(root.exists("sys/class"));
    EXPECT_FALSE(root.exists("sys/cl"));
  }
  EXPECT_THROW(Root(folder.path() / "none.txt"), Error);
}

TEST(root, permissions_are_those_of_owner_group_or_others) {
  const NodeOwner node{0660, 0, 992};
  EXPECT_TRUE(mode_allows(node, {0, {}}));
  EXPECT_TRUE(mode_allows(node, {1000, {4, 992}}));
  EXPECT_FALSE(mode_allows(node, {1000, {4}}));
  EXPECT_TRUE(mode_allows({0666, 0, 0}, {1000, {}}));
  EXPECT_FALSE(mode_allows({0640, 0, 992}, {1000, {992}}));  // reading alone won't do
  EXPECT_FALSE(mode_allows({0066, 1000, 992}, {1000, {992}}));
}

TEST(parse, lists_of_processors) {
  EXPECT_EQ(parse_cpu_list("0-2,8"), (std::vector<int>{0, 1, 2, 8}));
  EXPECT_EQ(parse_cpu_list("3"), std::vector<int>{3});
  for (const char* bad : {"", "x", "5-2", "0-99999999"})
    EXPECT_TRUE(parse_cpu_list(bad).empty()) << bad;
}

TEST(parse, values_of_keys) {
  EXPECT_EQ(value_of_key("a: 1\nmodel name\t: X: Y\n", "model name"), "X: Y");
  EXPECT_EQ(value_of_key("DRIVER=i915\n", "DRIVER"), "i915");
  EXPECT_EQ(value_of_key("ab: 1", "a"), std::nullopt);
}

}  // namespace
}  // namespace phial
