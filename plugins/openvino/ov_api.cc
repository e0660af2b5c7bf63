// SPDX-License-Identifier: Apache-2.0
#include "ov_api.h"

#include <cstdlib>

#include "base/error.h"

namespace phial::ov {
namespace {

// The oldest that will do: the names of the NPU's LLM path (NPUW_LLM) and the C API's reading from
// memory without a copy are of that time. 2026.4.1 is what phial is tested with.
constexpr int kOldestYear = 2024, kOldestRelease = 5;

// "2026.4.1" of "2026.4.1-22982-abcdef-releases/2026/4".
std::string short_version(const std::string& full) { return full.substr(0, full.find('-')); }

}  // namespace

Api::Api(const SharedLibrary& library) : path(library.path()) {
  std::string missing;
#define PHIAL_OV_RESOLVE(name, ...)                                  \
  name = reinterpret_cast<Keep<__VA_ARGS__>>(library.symbol(#name)); \
  if (!name) missing += (missing.empty() ? "" : ", ") + std::string(#name);
  PHIAL_OV_FUNCTIONS(PHIAL_OV_RESOLVE)
#undef PHIAL_OV_RESOLVE
  if (!ov_get_openvino_version || !ov_version_free)
    throw_error(Code::kUnsupported,
                "{}: isn't OpenVINO's C library (it has no function ov_get_openvino_version)",
                path.string());
  CVersion found = {};
  if (ov_get_openvino_version(&found) != kOk)
    throw_error(Code::kUnsupported, "{}: doesn't tell its version", path.string());
  full_version = found.build_number ? found.build_number : "";
  ov_version_free(&found);
  version = short_version(full_version);

  char* end = nullptr;
  const long year = std::strtol(version.c_str(), &end, 10);
  const long release = *end == '.' ? std::strtol(end + 1, nullptr, 10) : 0;
  if (year < kOldestYear || (year == kOldestYear && release < kOldestRelease))
    throw_error(Code::kUnsupported,
                "{}: is OpenVINO {}, phial needs {}.{} or newer (pip install -U openvino)",
                path.string(), version.empty() ? "of an unknown version" : version, kOldestYear,
                kOldestRelease);
  if (!missing.empty())
    throw_error(Code::kUnsupported,
                "{}: OpenVINO {} lacks functions that phial needs: {}; phial is tested with 2026.4",
                path.string(), version, missing);

  // Eight elements of the type that is i64 since "undefined" is gone: before, it was i32.
  int64_t eight = 8;
  CTensor* tensor = nullptr;
  size_t bytes = 0;
  if (ov_tensor_create(static_cast<int>(Element::kI64), {1, &eight}, &tensor) == kOk) {
    ov_tensor_get_byte_size(tensor, &bytes);
    ov_tensor_free(tensor);
  }
  if (bytes != 64 && bytes != 32)
    throw_error(Code::kUnsupported,
                "{}: OpenVINO {} numbers its element types in a way that this phial ({}) doesn't "
                "know",
                path.string(), version, PHIAL_VERSION);
  type_shift = bytes == 64 ? 0 : 1;
}

}  // namespace phial::ov
