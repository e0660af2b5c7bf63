// SPDX-License-Identifier: Apache-2.0
// The search for OpenVINO in places that don't hold it. Each case is a process of its own: what is
// loaded once stays.
#include <gtest/gtest.h>

#include <cstdlib>

#include "expect_error.h"
#include "ov_library.h"
#include "temp_folder.h"

namespace phial::ov {
namespace {

bool looks_in(const std::vector<Place>& places, const fs::path& folder) {
  for (const Place& place : places)
    if (place.path == folder) return true;
  return false;
}

TEST(openvino_library, what_the_user_names_is_looked_at_alone) {
  const TempFolder folder;
  ::setenv("PHIAL_OPENVINO_LIB", folder.path().c_str(), 1);
  ASSERT_EQ(places_to_look("").size(), 1u);
  EXPECT_EQ(places_to_look("")[0].path, folder.path());
  ASSERT_EQ(places_to_look("/by/option").size(), 1u);
  EXPECT_EQ(places_to_look("/by/option")[0].path, "/by/option");
  expect_error(Code::kNotFound,
               {folder.path().string(), "PHIAL_OPENVINO_LIB", "pip install openvino"},
               [] { openvino(""); });
  ::unsetenv("PHIAL_OPENVINO_LIB");
}

TEST(openvino_library, python_environments_are_looked_into_without_running_python) {
  const TempFolder folder;
  const fs::path packages = folder.path() / "lib" / "python3.99" / "site-packages";
  fs::create_directories(packages);
  ::unsetenv("PHIAL_OPENVINO_LIB");
  for (const char* variable : {"VIRTUAL_ENV", "CONDA_PREFIX"}) {
    ::unsetenv("VIRTUAL_ENV");
    ::unsetenv("CONDA_PREFIX");
    ::setenv(variable, folder.path().c_str(), 1);
    EXPECT_TRUE(looks_in(places_to_look(""), packages / "openvino" / "libs")) << variable;
  }
  ::unsetenv("CONDA_PREFIX");
  fs::create_directories(folder.path() / "bin");
  folder.write("bin/python3", "");
  ::setenv("PATH", ("/nowhere:" + (folder.path() / "bin").string()).c_str(), 1);
  EXPECT_TRUE(looks_in(places_to_look(""), packages / "openvino" / "libs"));
}

TEST(openvino_library, the_newest_name_in_a_folder_comes_first) {
  const TempFolder folder;
  for (const char* name : {"libopenvino_c.so.2541", "libopenvino_c.so.2641", "libopenvino.so.2641"})
    folder.write(name, "");
  const auto found = libraries_in(folder.path());
  ASSERT_EQ(found.size(), 2u);
  EXPECT_EQ(found[0].filename(), "libopenvino_c.so.2641");
}

TEST(openvino_library, something_else_under_its_name_is_told_apart) {
  const TempFolder folder;
  const fs::path text = folder.write("libopenvino_c.so.2641", "this is no library");
  expect_error(Code::kNotFound, {text.string(), "too short"}, [&] { openvino(text.string()); });
  // A real library that isn't OpenVINO: this program's own C++ runtime.
  const fs::path other = file_of_code(reinterpret_cast<const void*>(&std::abort));
  expect_error(Code::kUnsupported, {other.string(), "isn't OpenVINO's C library"},
               [&] { openvino(other.string()); });
}

}  // namespace
}  // namespace phial::ov
