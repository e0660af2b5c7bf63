// SPDX-License-Identifier: Apache-2.0
// Exporting an existing package: it grows by what it lacks, opens at every point where the export
// could have been killed, and an export afterwards repairs it.
#include "package/artefacts.h"

#include <gtest/gtest.h>

#include "base/write_beside.h"
#include "export/ir_reader.h"
#include "export/tiny_export.h"

namespace phial {
namespace {

class ArtefactsTest : public testing::Test {
 protected:
  void SetUp() override {
    package_ = temp_.path() / "package";
    make_random_checkpoint(reference_config(), temp_.path() / "source", 1, {}, "bf16");
    QuantizeOptions options;
    options.recipe = recipe_of(WeightPrecision::kInt4, true, 128);
    quantize(temp_.path() / "source", package_, options);  // as a phial without exporters wrote it
    bare_bytes_ = fs::file_size(package_ / kWeightsFile);
  }

  std::string text(const char* file) const { return read_file(package_ / file); }

  TempFolder temp_;
  fs::path package_;
  uint64_t bare_bytes_ = 0;
};

TEST_F(ArtefactsTest, AddsWhatIsMissingAndNothingTwice) {
  EXPECT_EQ(Package::open(package_)->stored()->graph_constants.bytes, 0u);
  EXPECT_TRUE(
      contains(error_of([&] { openvino_parts(*Package::open(package_)); }), "phial export"));
  const std::string weights = text(kWeightsFile);
  EXPECT_EQ(make_artefacts(package_, openvino_artefacts()),
            std::vector<std::string>{"openvino_model.xml"});
  const std::string grown = text(kWeightsFile), xml = text("openvino_model.xml");
  EXPECT_EQ(grown.substr(0, weights.size()), weights);
  EXPECT_EQ(grown.size(), weights.size() + kTensorAlignment);
  const auto package = Package::open(package_);
  EXPECT_EQ(package->stored()->graph_constants.offset, bare_bytes_);
  EXPECT_EQ(package->stored()->file.size(), grown.size());
  read_ir(xml);
  const Json artefacts = package->manifest()["artefacts"];
  ASSERT_EQ(artefacts.size(), 2u);
  EXPECT_EQ(artefacts[0]["bytes"], grown.size());
  EXPECT_EQ(artefacts[1]["kind"], "openvino-ir");
  EXPECT_EQ(artefacts[1]["bytes"], xml.size());

  const std::string manifest = text(kManifestFile);
  fs::remove(package_ / "openvino_model.xml");
  make_artefacts(package_, openvino_artefacts());
  EXPECT_EQ(text(kWeightsFile).size(), grown.size());
  EXPECT_EQ(text("openvino_model.xml"), xml);
  EXPECT_EQ(text(kManifestFile), manifest);
}

TEST_F(ArtefactsTest, SameAsQuantizeMakes) {
  make_artefacts(package_, openvino_artefacts());
  QuantizeOptions options;
  options.recipe = recipe_of(WeightPrecision::kInt4, true, 128);
  options.artefacts = openvino_artefacts();
  const fs::path at_once = temp_.path() / "at-once";
  quantize(temp_.path() / "source", at_once, options);
  for (const char* file : {kWeightsFile, kManifestFile, "openvino_model.xml"})
    EXPECT_TRUE(text(file) == read_file(at_once / file)) << file;
}

// Killed after the constants, with all or with part of them written, or after the graph.
TEST_F(ArtefactsTest, OpensWhereverAnExportWasKilled) {
  const std::string manifest = text(kManifestFile);
  make_artefacts(package_, openvino_artefacts());
  const std::string complete = text(kManifestFile), weights = text(kWeightsFile),
                    xml = text("openvino_model.xml");
  for (uint64_t extra : {uint64_t{1}, uint64_t{100}, kTensorAlignment}) {
    for (bool has_graph : {false, true}) {
      write_file_atomically(package_ / kManifestFile, manifest);
      write_file_atomically(package_ / kWeightsFile, weights.substr(0, bare_bytes_ + extra));
      if (!has_graph) fs::remove(package_ / "openvino_model.xml");
      EXPECT_EQ(Package::open(package_)->stored()->file.size(), bare_bytes_);
      make_artefacts(package_, openvino_artefacts());
      EXPECT_TRUE(text(kWeightsFile) == weights);
      EXPECT_EQ(text(kManifestFile), complete);
      EXPECT_EQ(text("openvino_model.xml"), xml);
    }
  }
}

TEST_F(ArtefactsTest, DamagedConstantsAreNoticedAndMadeAnew) {
  make_artefacts(package_, openvino_artefacts());
  const std::string whole = text(kWeightsFile);
  const std::vector<std::byte> wrong(256, std::byte{0x5a});
  {
    FileWriter file(package_ / kWeightsFile, FileWriter::Existing::kKeep);
    file.write_at(bare_bytes_, wrong);
    file.finish();
  }
  const auto damaged = Package::open(package_);  // phial itself has no use for the constants
  const std::string error = error_of([&] { openvino_ir_xml(openvino_parts(*damaged)); });
  EXPECT_TRUE(contains(error, "not found: ") && contains(error, "phial export")) << error;
  make_artefacts(package_, openvino_artefacts());
  const auto repaired = Package::open(package_);
  EXPECT_EQ(repaired->stored()->graph_constants.offset, whole.size());
  openvino_ir_xml(openvino_parts(*repaired));
}

TEST_F(ArtefactsTest, ManifestsThatLie) {
  make_artefacts(package_, openvino_artefacts());
  const Json good = read_json(package_ / kManifestFile);
  const uint64_t bytes = good["weights"]["bytes"];
  auto open_with = [&](const Json& extent) {
    Json manifest = good;
    manifest["weights"]["graph_constants"] = extent;
    write_file_atomically(package_ / kManifestFile, manifest.dump());
    return error_of([&] { Package::open(package_); });
  };
  EXPECT_TRUE(contains(open_with(Json::array({bytes, 16})), "ends at"));
  EXPECT_TRUE(contains(open_with(Json::array({bare_bytes_, kTensorAlignment + 1})), "ends at"));
  EXPECT_TRUE(contains(open_with(Json::array({bare_bytes_ + 16, 16})), "multiple of 4096"));
  EXPECT_TRUE(contains(open_with(Json::array({0, 16})), "overlaps"));
  EXPECT_TRUE(contains(open_with("x"), "must be [offset, bytes]"));
  EXPECT_EQ(open_with(nullptr), "none");
}

TEST_F(ArtefactsTest, NeedsAPackage) {
  const std::string error =
      error_of([&] { make_artefacts(temp_.path() / "source", openvino_artefacts()); });
  EXPECT_TRUE(contains(error, "unsupported: ") && contains(error, "phial quantize")) << error;
  EXPECT_TRUE(
      contains(error_of([&] { make_artefacts("nowhere", openvino_artefacts()); }), "not found: "));
}

}  // namespace
}  // namespace phial
