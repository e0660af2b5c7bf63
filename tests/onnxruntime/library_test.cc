// SPDX-License-Identifier: Apache-2.0
// The search for ONNX Runtime in places that hold it, and in places that don't. Each case is a
// process of its own: what is loaded once stays.
#include "onnxruntime/library.h"

#include <gtest/gtest.h>

#include <cstdlib>

#include "expect_error.h"
#include "temp_folder.h"

namespace phial::ort {
namespace {

const fs::path kFakes = PHIAL_FAKES;

bool looks_in(const std::vector<Place>& places, const fs::path& folder) {
  for (const Place& place : places)
    if (place.path == folder) return true;
  return false;
}

void forget_environment() {
  for (const char* name :
       {"PHIAL_ORT_GENAI_LIB", "PHIAL_ONNXRUNTIME_LIB", "VIRTUAL_ENV", "CONDA_PREFIX"})
    ::unsetenv(name);
}

TEST(onnxruntime_library, one_folder_of_pips_is_enough) {
  forget_environment();
  const OgaApi& api = onnxruntime({(kFakes / "good").string()});
  EXPECT_EQ(api.ort_version, "1.31.1");
  EXPECT_EQ(api.version, "0.18.0");
  EXPECT_EQ(api.path.filename(), "libonnxruntime-genai.so");
  EXPECT_EQ(api.ort_path.filename(), "libonnxruntime.so.1.31.1");
  EXPECT_STREQ(std::getenv("ORT_DISABLE_TELEMETRY"), "1");
  EXPECT_STREQ(std::getenv("ORT_LIB_PATH"), api.ort_path.c_str());
  EXPECT_EQ(&onnxruntime({"/elsewhere"}), &api) << "one in a process";
}

TEST(onnxruntime_library, genai_alone_shows_where_the_other_is) {
  forget_environment();
  EXPECT_EQ(
      onnxruntime({(kFakes / "good" / "onnxruntime_genai" / "libonnxruntime-genai.so").string()})
          .ort_version,
      "1.31.1");
}

TEST(onnxruntime_library, the_environment_names_both) {
  forget_environment();
  ::setenv("PHIAL_ORT_GENAI_LIB", (kFakes / "good" / "onnxruntime_genai").c_str(), 1);
  EXPECT_EQ(onnxruntime({}).ort_version, "1.31.1");
}

TEST(onnxruntime_library, an_old_onnxruntime_is_refused_before_genai_ends_the_process) {
  forget_environment();
  ::setenv("PHIAL_ONNXRUNTIME_LIB", (kFakes / "old" / "onnxruntime" / "capi").c_str(), 1);
  ::setenv("PHIAL_ORT_GENAI_LIB", (kFakes / "good" / "onnxruntime_genai").c_str(), 1);
  expect_error(Code::kUnsupported, {"1.15.0", "1.18", "pip install -U onnxruntime"},
               [] { onnxruntime({}); });
}

TEST(onnxruntime_library, functions_that_are_missing_are_named) {
  forget_environment();
  ::setenv("PHIAL_ONNXRUNTIME_LIB", (kFakes / "good").c_str(), 1);
  ::setenv("PHIAL_ORT_GENAI_LIB", (kFakes / "lacking").c_str(), 1);
  expect_error(Code::kUnsupported, {"OgaCreateTensorFromBuffer", "pip install -U"},
               [] { onnxruntime({}); });
}

TEST(onnxruntime_library, each_that_is_missing_is_named_with_the_places) {
  forget_environment();
  const TempFolder empty;
  ::setenv("PHIAL_ONNXRUNTIME_LIB", empty.path().c_str(), 1);
  ::setenv("PHIAL_ORT_GENAI_LIB", (kFakes / "good").c_str(), 1);
  expect_error(Code::kNotFound,
               {"ONNX Runtime isn't found", "pip install onnxruntime)", empty.path().string(),
                "PHIAL_ONNXRUNTIME_LIB"},
               [] { onnxruntime({}); });
  ::setenv("PHIAL_ONNXRUNTIME_LIB", (kFakes / "good").c_str(), 1);
  ::setenv("PHIAL_ORT_GENAI_LIB", empty.path().c_str(), 1);
  expect_error(Code::kNotFound, {"ONNX Runtime GenAI isn't found", "pip install onnxruntime-genai"},
               [] { onnxruntime({}); });
}

TEST(onnxruntime_library, python_environments_are_looked_into_without_running_python) {
  const TempFolder folder;
  forget_environment();
  const fs::path packages = folder.path() / "lib" / "python3.99" / "site-packages";
  fs::create_directories(packages);
  for (const char* variable : {"VIRTUAL_ENV", "CONDA_PREFIX"}) {
    forget_environment();
    ::setenv(variable, folder.path().c_str(), 1);
    EXPECT_TRUE(looks_in(places_to_look(Library::kOrt, {}), packages / "onnxruntime/capi"));
    EXPECT_TRUE(looks_in(places_to_look(Library::kGenai, {}), packages / "onnxruntime_genai"));
  }
  forget_environment();
  fs::create_directories(folder.path() / "bin");
  folder.write("bin/python3", "");
  ::setenv("PATH", ("/nowhere:" + (folder.path() / "bin").string()).c_str(), 1);
  EXPECT_TRUE(looks_in(places_to_look(Library::kGenai, {}), packages / "onnxruntime_genai"));
}

TEST(onnxruntime_library, something_else_under_its_name_is_told_apart) {
  forget_environment();
  const TempFolder folder;
  const fs::path text = folder.write("libonnxruntime.so.1.99.0", "this is no library");
  expect_error(Code::kNotFound, {text.string(), "too short"},
               [&] { onnxruntime({text.string()}); });
  // A real library that isn't ONNX Runtime: this program's own C++ runtime.
  const fs::path other = file_of_code(reinterpret_cast<const void*>(&std::abort));
  ::setenv("PHIAL_ONNXRUNTIME_LIB", other.c_str(), 1);
  expect_error(Code::kUnsupported, {other.string(), "isn't ONNX Runtime"}, [] { onnxruntime({}); });
}

TEST(onnxruntime_library, one_that_is_there_but_wont_load_isnt_called_missing) {
  forget_environment();
  const TempFolder folder;
  const fs::path text = folder.write("libonnxruntime-genai.so", "this is no library");
  ::setenv("PHIAL_ONNXRUNTIME_LIB", (kFakes / "good").c_str(), 1);
  ::setenv("PHIAL_ORT_GENAI_LIB", text.c_str(), 1);
  expect_error(Code::kNotFound,
               {"ONNX Runtime GenAI is there but can't be loaded beside ONNX Runtime 1.31.1",
                text.string(), "pip install onnxruntime-genai"},
               [] { onnxruntime({}); });
}

TEST(onnxruntime_library, genais_own_neighbours_arent_taken_for_it) {
  const TempFolder folder;
  for (const char* name : {"libonnxruntime.so.1.30.0", "libonnxruntime.so.1.31.1",
                           "libonnxruntime-genai.so", "libonnxruntime_providers_shared.so"})
    folder.write(name, "");
  const auto ort = libraries_in(Library::kOrt, folder.path());
  ASSERT_EQ(ort.size(), 2u);
  EXPECT_EQ(ort[0].filename(), "libonnxruntime.so.1.31.1");
  EXPECT_EQ(libraries_in(Library::kGenai, folder.path()).size(), 1u);
}

}  // namespace
}  // namespace phial::ort
