// SPDX-License-Identifier: Apache-2.0
#include "static_models.h"

#include "base/checksum.h"
#include "base/json.h"
#include "base/write_beside.h"
#include "npu.h"
#include "package/sha256.h"
#include "work.h"

namespace phial::ov {
namespace {

constexpr int64_t kFormatVersion = 1;
constexpr const char* kPlatformKey = "NPU_PLATFORM";

// Two packages with one manifest have the same weights.
std::string identity(const Package& package) {
  Sha256 hash;
  hash.add(package.manifest().dump());
  return hash.hex();
}

const char* part_file(StaticPart part) {
  return part == StaticPart::kPrefill ? "prefill.blob" : "generate.blob";
}

std::string device_family(const Target& target) {
  return target.device.substr(0, target.device.find('.'));
}

// A compiler without the device itself is only in OpenVINO's own NPU plugin.
Properties properties_of(const Target& target, const Settings& settings) {
  Properties properties = settings.properties;
  if (!settings.npu_platform.empty() && device_family(target) == "NPU") {
    properties.emplace_back(kPlatformKey, settings.npu_platform);
    if (!settings.property("NPU_COMPILER_TYPE"))
      properties.emplace_back("NPU_COMPILER_TYPE", "PLUGIN");
  }
  return properties;
}

// OpenVINO trusts what it imports.
void check_blob(const MappedFile& blob, const JsonView& about) {
  const auto bytes = static_cast<uint64_t>(about.integer("bytes", 0, INT64_MAX));
  if (blob.size() != bytes)
    throw_error(Code::kCorrupt,
                "{}: found {} bytes, expected {}: compile again with `phial compile`",
                blob.path().string(), blob.size(), bytes);
  if (about.at("checksum") != Json(checksum(blob.bytes())))
    throw_error(Code::kCorrupt,
                "{}: isn't as it was written (its checksum differs): compile again with `phial "
                "compile`",
                blob.path().string());
}

}  // namespace

void compile_static(const Api& api, const Package& package, const Target& target,
                    const Settings& settings, const fs::path& destination, const Notice& notice) {
  StaticShape shape;
  if (settings.npu_prompt) shape.prompt = *settings.npu_prompt;
  if (settings.npu_response) shape.response = *settings.npu_response;
  shape.kv_f16 = device_family(target) != "CPU";
  const PackageParts parts = openvino_parts(package);
  check_static_shape(parts.config, shape);

  const Core core(api);
  const Tensor weights(api, Element::kU8, {static_cast<int64_t>(parts.weights.size())},
                       parts.weights.data());
  FolderBeside folder(destination);
  Json files = Json::object();
  for (const StaticPart part : {StaticPart::kPrefill, StaticPart::kGenerate}) {
    const auto model = core.read(static_ir_xml(parts, shape, part), weights);
    const auto compiled = with_progress<std::unique_ptr<Compiled>>(
        notice, fmt::format("compiling {} for {}", part_file(part), target.id), [&] {
          try {
            return core.compile(model.get(), target.device, properties_of(target, settings));
          } catch (const Error& error) {
            if (!target.npuw()) throw;
            throw Error(error.code(),
                        explain_npu_failure(error.what()) +
                            ". For a computer without an NPU: OpenVINO's Windows package has the "
                            "compiler, and --ir-only writes the graphs for it");
          }
        });
    compiled->export_to(folder.path() / part_file(part));
    const MappedFile blob(folder.path() / part_file(part));
    files[part_file(part)] = {{"bytes", blob.size()}, {"checksum", checksum(blob.bytes())}};
  }
  const Json about = {{"format", "phial static models"},
                      {"format_version", kFormatVersion},
                      {"package", identity(package)},
                      {"device", device_family(target)},
                      {"platform", settings.npu_platform},
                      {"openvino", api.full_version},
                      {"prompt", shape.prompt},
                      {"response", shape.response},
                      {"kv", shape.kv_f16 ? "f16" : "f32"},
                      {"files", files}};
  write_file_atomically(folder.path() / kStaticFile, about.dump(2) + "\n");
  folder.commit();
}

StaticModels open_static(const Api& api, const Package& package, const Target& target,
                         const Settings& settings) {
  const fs::path folder = settings.static_models;
  const fs::path about_file = folder / kStaticFile;
  const Json json = read_json(about_file);
  const JsonView about(json, about_file.string());
  const std::string kv = about.string("kv"), device = about.string("device");
  if (about.string("format") != "phial static models" ||
      about.integer("format_version", 1, INT32_MAX) > kFormatVersion ||
      (kv != "f16" && kv != "f32"))
    throw_error(Code::kUnsupported,
                "{}: found format '{}' version {}, expected 'phial static models' up to version {}",
                about_file.string(), about.string("format"),
                about.integer("format_version", 1, INT32_MAX), kFormatVersion);
  if (about.string("package") != identity(package))
    throw_error(Code::kUnsupported,
                "{} was compiled from another package than {}: compile again with `phial compile`",
                folder.string(), package.folder().string());
  if (device != device_family(target))
    throw_error(Code::kUnsupported, "{} was compiled for {}, it can't run on {}", folder.string(),
                device, target.id);
  StaticModels models{{static_cast<int32_t>(about.integer("prompt", 1, INT32_MAX)),
                       static_cast<int32_t>(about.integer("response", 1, INT32_MAX)), kv == "f16"},
                      Core(api),
                      {},
                      nullptr,
                      nullptr};
  check_static_shape(package.config(), models.shape);
  // An import takes no properties, and a blob doesn't bring all that it was compiled with: the CPU
  // plugin would fall back to bf16 where the processor has it.
  for (const auto& [key, value] : settings.properties) models.core.set(target.device, key, value);
  const JsonView files(about.at("files"), about_file.string());
  for (const StaticPart part : {StaticPart::kPrefill, StaticPart::kGenerate}) {
    const MappedFile& blob = models.blobs.emplace_back(folder / part_file(part));
    check_blob(blob, JsonView(files.at(part_file(part)), files.where()));
    std::string why;
    auto compiled = models.core.import(blob.bytes(), target.device, why);
    if (!compiled)
      throw_error(Code::kUnsupported,
                  "{}: OpenVINO {} on {} won't take it (compiled with OpenVINO {} for platform "
                  "'{}'): {}. Compile again with `phial compile`{}",
                  (folder / part_file(part)).string(), api.version, target.id,
                  about.string_or("openvino", "?"), about.string_or("platform", ""), why,
                  settings.properties.empty() ? "" : ", or leave out the properties that are set");
    (part == StaticPart::kPrefill ? models.prefill : models.generate) = std::move(compiled);
  }
  return models;
}

}  // namespace phial::ov
