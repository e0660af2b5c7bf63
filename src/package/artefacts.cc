// SPDX-License-Identifier: Apache-2.0
// The order of writing is what makes an interruption harmless: constants behind the end that the
// manifest knows, then the artefacts, each whole, then the manifest that knows of all that.
#include "package/artefacts.h"

#include <algorithm>

#include "base/error.h"
#include "base/write_beside.h"
#include "package/manifest.h"
#include "package/package.h"

namespace phial {
namespace {

uint64_t page_end(uint64_t bytes) {
  return (bytes + kTensorAlignment - 1) / kTensorAlignment * kTensorAlignment;
}

// True if the package has these very constants, or none are wanted.
bool has_constants(const StoredWeights& stored, const std::vector<std::byte>& constants) {
  if (constants.empty()) return true;
  const auto there =
      stored.file.subspan(stored.graph_constants.offset, stored.graph_constants.bytes);
  return std::equal(there.begin(), there.end(), constants.begin(), constants.end());
}

}  // namespace

std::vector<std::byte> collect_graph_constants(const std::vector<ArtefactMaker>& makers,
                                               const PackageParts& parts) {
  constexpr size_t kAlignment = 64;  // of each maker's share
  std::vector<std::byte> all;
  for (const ArtefactMaker& maker : makers) {
    if (!maker.graph_constants) continue;
    const std::vector<std::byte> share = maker.graph_constants(parts);
    all.resize((all.size() + kAlignment - 1) / kAlignment * kAlignment);
    all.insert(all.end(), share.begin(), share.end());
  }
  return all;
}

std::vector<std::string> write_artefacts(const std::vector<ArtefactMaker>& makers,
                                         const PackageParts& parts, Json& manifest) {
  std::vector<std::string> all;
  for (const ArtefactMaker& maker : makers) {
    const std::vector<std::string> files = maker.write(parts);
    set_artefacts(manifest, maker.kind, parts.folder, files);
    all.insert(all.end(), files.begin(), files.end());
  }
  return all;
}

std::vector<std::string> make_artefacts(const fs::path& folder,
                                        const std::vector<ArtefactMaker>& makers) {
  std::shared_ptr<const Package> package = Package::open(folder);
  if (!package->stored())
    throw_error(Code::kUnsupported,
                "{}: is a Hugging Face folder, not a package; an export needs a package's weights: "
                "make one with 'phial quantize {} DST' (--weight-format fp16 to leave them as they "
                "are)",
                folder.string(), folder.string());
  Json manifest = package->manifest();
  auto parts = [&folder, &package] {
    const StoredWeights& s = *package->stored();
    return PackageParts{folder, package->config(), s.recipe, s.tensors, s.file, s.graph_constants};
  };
  const std::vector<std::byte> constants = collect_graph_constants(makers, parts());
  std::vector<std::string> files;
  if (!has_constants(*package->stored(), constants)) {
    const Extent extent{page_end(package->stored()->file.size()), constants.size()};
    const uint64_t end = page_end(extent.offset + extent.bytes);
    FileWriter file(folder / kWeightsFile, FileWriter::Existing::kKeep);
    file.write_at(extent.offset, constants);
    file.write_at(extent.offset + extent.bytes,
                  std::vector<std::byte>(end - extent.offset - extent.bytes));
    file.finish();
    set_graph_constants(manifest, extent, end);
    const MappedFile grown(folder / kWeightsFile);
    PackageParts after = parts();
    after.weights = grown.bytes().first(end);
    after.graph_constants = extent;
    files = write_artefacts(makers, after, manifest);
  } else {
    files = write_artefacts(makers, parts(), manifest);
  }
  write_file_atomically(folder / kManifestFile, manifest.dump(1) + "\n");
  return files;
}

}  // namespace phial
