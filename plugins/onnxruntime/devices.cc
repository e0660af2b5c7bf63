// SPDX-License-Identifier: Apache-2.0
#include "devices.h"

#include "base/error.h"
#include "graph.h"
#include "library.h"
#include "places.h"
#include "target.h"

namespace phial::ort {
namespace {

// Beside the 50 of phial's own CPU engine and OpenVINO's 80 for a GPU and 40 for the CPU. CUDA
// comes before DirectML where both are there: it appends to a cache.
constexpr int kCudaRank = 85, kDmlRank = 75, kCpuRank = 30;

int rank_of(Provider provider) {
  return provider == Provider::kCuda ? kCudaRank : provider == Provider::kDml ? kDmlRank : kCpuRank;
}

bool is_there(const fs::path& path) {
  std::error_code ignored;
  return fs::exists(path, ignored);
}

std::string dml_why_not(const OgaApi& api) {
#ifdef _WIN32
  if (api.ort_has_dml) return {};
  return fmt::format(
      "ONNX Runtime {} was built without DirectML: pip install onnxruntime-directml "
      "onnxruntime-genai-directml instead",
      api.ort_version);
#else
  return fmt::format(
      "ONNX Runtime {} was built without DirectML, which only Windows has: there, pip install "
      "onnxruntime-directml onnxruntime-genai-directml",
      api.ort_version);
#endif
}

// The parts that a build with CUDA has beside the two libraries; what they need themselves is found
// out when a model is opened.
std::string cuda_why_not(const OgaApi& api) {
  const auto beside = [](const fs::path& library, const char* linux_name,
                         const char* windows_name) {
#ifdef _WIN32
    (void)linux_name;
    return is_there(library.parent_path() / windows_name);
#else
    (void)windows_name;
    return is_there(library.parent_path() / linux_name);
#endif
  };
  constexpr const char* kRemedy =
      "pip install onnxruntime-gpu onnxruntime-genai-cuda instead, with CUDA 12 or newer and "
      "cuDNN 9";
  if (!beside(api.ort_path, "libonnxruntime_providers_cuda.so", "onnxruntime_providers_cuda.dll"))
    return fmt::format("ONNX Runtime {} was built without CUDA: {}", api.ort_version, kRemedy);
  if (!beside(api.path, "libonnxruntime-genai-cuda.so", "onnxruntime-genai-cuda.dll"))
    return fmt::format("ONNX Runtime GenAI {} was built without CUDA: {}", api.version, kRemedy);
  return nvidia_missing();
}

// Empty: nothing speaks against it.
std::string why_not(const OgaApi& api, const Target& target) {
  switch (target.provider) {
    case Provider::kCpu:
      return {};
    case Provider::kDml:
      return dml_why_not(api);
    case Provider::kCuda:
      return cuda_why_not(api);
    default:
      return fmt::format(
          "ONNX Runtime has no device '{}' here; there is cpu, dml, cuda, and dml:1 or cuda:1 for "
          "a "
          "second GPU",
          target.device);
  }
}

}  // namespace

std::vector<Device> list_devices(const Settings& settings, bool quick) {
  std::vector<Device> devices;
  if (quick && !gpu_may_be_there()) return devices;
  std::string missing;
  try {
    const OgaApi& api = onnxruntime(settings.libraries);
    const std::string runtime =
        fmt::format("ONNX Runtime {}, GenAI {}", api.ort_version, api.version);
    for (const Provider provider : {Provider::kCpu, Provider::kDml, Provider::kCuda}) {
      const Target target = to_target(provider_name(provider));
      devices.push_back({target.id, runtime, target.kind(), why_not(api, target)});
    }
  } catch (const Error& error) {
    missing = error.what();  // with a list of places, which is told once
    for (const Provider provider : {Provider::kCpu, Provider::kDml, Provider::kCuda}) {
      const Target target = to_target(provider_name(provider));
      devices.push_back({target.id, "", target.kind(), missing});
      missing = missing.substr(0, missing.find('\n'));
    }
  }
  return devices;
}

Verdict judge(const Settings& settings, const Package& package, const std::string& device) {
  const Target target = to_target(device);
  Verdict verdict{target.id, 0, {}, target.kind()};
  try {
    const OgaApi& api = onnxruntime(settings.libraries);
    verdict.reason = why_not(api, target);
    if (!verdict.reason.empty()) return verdict;
    inspect_graph(package, target.provider, settings.any_graph);  // throws if it won't do
    verdict.reason = fmt::format("ONNX Runtime {} runs it", api.ort_version);
    verdict.rank = rank_of(target.provider);
  } catch (const Error& error) {
    verdict.reason = error.what();
  }
  return verdict;
}

}  // namespace phial::ort
