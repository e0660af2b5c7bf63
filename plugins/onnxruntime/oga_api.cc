// SPDX-License-Identifier: Apache-2.0
#include "oga_api.h"

#include <algorithm>
#include <cstdlib>
#include <vector>

#include "base/error.h"

namespace phial::ort {
namespace {

// The oldest OrtApi that GenAI accepts; below it GenAI ends the process while it is being loaded.
constexpr uint32_t kOldestApi = 18;
constexpr int kOldestMinor = 18;

// OrtApiBase of onnxruntime_c_api.h, which never changes.
struct OrtApiBase {
  const void* (*get_api)(uint32_t version);
  const char* (*version)();
};
using GetApiBase = const OrtApiBase* (*)();

constexpr const char* kDmlSymbol = "OrtSessionOptionsAppendExecutionProvider_DML";

}  // namespace

OrtLibrary::OrtLibrary(const fs::path& file) : library(file, true) {
  const auto base_of = reinterpret_cast<GetApiBase>(library.symbol("OrtGetApiBase"));
  if (!base_of)
    throw_error(Code::kUnsupported, "{}: isn't ONNX Runtime (it has no function OrtGetApiBase)",
                file.string());
  const OrtApiBase* base = base_of();
  if (const char* text = base ? base->version() : nullptr) version = text;
  char* end = nullptr;
  const long major = std::strtol(version.c_str(), &end, 10);
  const long minor = *end == '.' ? std::strtol(end + 1, nullptr, 10) : 0;
  if (major < 1 || (major == 1 && minor < kOldestMinor) || !base->get_api(kOldestApi))
    throw_error(Code::kUnsupported,
                "{}: is ONNX Runtime {}, phial needs 1.{} or newer (pip install -U onnxruntime)",
                file.string(), version.empty() ? "of an unknown version" : version, kOldestMinor);
}

OgaApi::OgaApi(const SharedLibrary& genai, const OrtLibrary& ort)
    : path(genai.path()),
      ort_path(ort.library.path()),
      version(genai_version_beside(genai.path())),
      ort_version(ort.version),
      ort_has_dml(ort.library.symbol(kDmlSymbol) != nullptr) {
  std::string missing;
#define PHIAL_OGA_RESOLVE(name, ...)                               \
  name = reinterpret_cast<Keep<__VA_ARGS__>>(genai.symbol(#name)); \
  if (!name) missing += (missing.empty() ? "" : ", ") + std::string(#name);
  PHIAL_OGA_FUNCTIONS(PHIAL_OGA_RESOLVE)
#undef PHIAL_OGA_RESOLVE
  if (!OgaResultGetError || !OgaCreateModelFromConfig)
    throw_error(Code::kUnsupported, "{}: {}", path.string(),
                OgaResultGetError ? "is an ONNX Runtime GenAI that phial is too new for; it needs "
                                    "0.9 or newer (pip install -U onnxruntime-genai)"
                                  : "isn't ONNX Runtime GenAI (it has no function "
                                    "OgaResultGetError)");
  if (!missing.empty())
    throw_error(Code::kUnsupported,
                "{}: ONNX Runtime GenAI {} lacks functions that phial needs: {}; it needs 0.9 or "
                "newer (pip install -U onnxruntime-genai)",
                path.string(), version, missing);
  if (version.empty()) version = "of an unknown version";
  // Before anything else is called; ORT_DISABLE_TELEMETRY, set before loading, did the most of it.
  if (const auto set_telemetry =
          reinterpret_cast<void (*)(bool)>(genai.symbol("OgaSetTelemetryEnabled")))
    set_telemetry(false);
}

std::string genai_version_beside(const fs::path& library) {
  constexpr std::string_view kEnd = ".dist-info";
  std::error_code ignored;
  for (fs::directory_iterator it(library.parent_path().parent_path(), ignored), end;
       !ignored && it != end; it.increment(ignored)) {
    const std::string name = it->path().filename().string();
    const size_t dash = name.find('-');
    if (!name.starts_with("onnxruntime_genai") || !name.ends_with(kEnd) ||
        dash == std::string::npos)
      continue;
    return name.substr(dash + 1, name.size() - kEnd.size() - dash - 1);
  }
  return {};
}

}  // namespace phial::ort
