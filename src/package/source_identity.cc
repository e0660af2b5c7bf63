// SPDX-License-Identifier: Apache-2.0
// Hashing all bytes of a checkpoint would take longer than quantizing it. The tensor table of every
// file (names, shapes, offsets) and 64 pages spread evenly tell checkpoints of one family, and
// fine-tunes of one checkpoint, apart; they don't detect a flipped bit elsewhere, which the
// manifest says.
#include "package/source_identity.h"

#include <algorithm>

#include "package/sha256.h"

namespace phial {
namespace {

constexpr uint64_t kSamples = 64, kSampleBytes = 4096;

uint64_t header_bytes(
    const MappedFile& file) {  // 8 bytes of length, then so much JSON; Safetensors has checked both
  uint64_t n = 0;
  for (int i = 7; i >= 0; --i)
    n = n << 8 | static_cast<uint64_t>(file.bytes()[static_cast<size_t>(i)]);
  return 8 + n;
}

}  // namespace

Json describe_source(const Checkpoint& checkpoint) {
  Sha256 hash;
  hash.add(checkpoint.config().dump());
  Json files = Json::array();
  for (const auto& safetensors : checkpoint.files()) {
    const MappedFile& file = safetensors->file();
    const std::string name = file.path().filename().string();
    files.push_back(Json{{"file", name}, {"bytes", file.size()}});
    hash.add(name);
    const uint64_t header = std::min(header_bytes(file), file.size()), body = file.size() - header;
    hash.add(file.bytes().first(header));
    for (uint64_t i = 0; i < kSamples; ++i) {
      const uint64_t offset = header + body / kSamples * i;
      hash.add(file.bytes().subspan(offset, std::min(kSampleBytes, file.size() - offset)));
    }
    hash.add(std::to_string(file.size()));
  }
  fs::path folder = fs::absolute(checkpoint.folder()).lexically_normal();
  if (!folder.has_filename()) folder = folder.parent_path();
  Json json;
  json["folder"] = folder.filename().string();
  json["files"] = std::move(files);
  json["hash"] = Json{
      {"sha256", hash.hex()},
      {"of", "config.json, each file's name, tensor table, 64 pages and size; not every byte"}};
  return json;
}

}  // namespace phial
