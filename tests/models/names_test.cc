// SPDX-License-Identifier: Apache-2.0
#include "models/names.h"

#include <gtest/gtest.h>

#include "expect_error.h"

namespace phial {
namespace {

TEST(model_names, come_in_four_parts) {
  const auto whole = parse_model_name("owner/some.name@v1.2:int8");
  ASSERT_TRUE(whole);
  EXPECT_EQ(whole->base, "owner/some.name");
  EXPECT_EQ(whole->revision, "v1.2");
  EXPECT_EQ(whole->tag, "int8");
  EXPECT_EQ(whole->text(), "owner/some.name@v1.2:int8");
  EXPECT_EQ(whole->folder(), "owner--some.name@v1.2");
  EXPECT_EQ(parse_model_name("phi-4")->tag, "");
}

TEST(model_names, folders_lead_back_to_them) {
  for (const char* text : {"phi-3.5-mini", "microsoft/phi-4", "a/b@main"}) {
    const auto name = parse_model_name(text);
    ASSERT_TRUE(name) << text;
    const auto back = name_of_folder(name->folder());
    ASSERT_TRUE(back) << text;
    EXPECT_EQ(back->text(), text);
  }
}

TEST(model_names, what_could_be_a_path_is_not_one) {
  for (const char* text : {"",       "/",          "..",     "../x",    "a/..", "./a",   "a/b/c",
                           "/a",     "a/",         "a//b",   ".hidden", "a b",  "-a",    "a--b",
                           "phi-4:", "phi-4:int5", "phi-4@", "a@b@c",   "a\\b", "a/.git"})
    EXPECT_FALSE(parse_model_name(text)) << text;
}

TEST(model_names, of_the_family_stand_for_repositories) {
  EXPECT_EQ(known_models().size(), 7u);
  EXPECT_EQ(repository_of(*parse_model_name("phi-4-mini:int4")), "microsoft/Phi-4-mini-instruct");
  EXPECT_EQ(repository_of(*parse_model_name("somebody/else")), "somebody/else");
  expect_error(Code::kNotFound, {"phi-5", "phi-3.5-mini", "OWNER/NAME"},
               [] { repository_of(*parse_model_name("phi-5")); });
}

}  // namespace
}  // namespace phial
