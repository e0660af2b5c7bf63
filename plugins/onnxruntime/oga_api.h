// SPDX-License-Identifier: Apache-2.0
// The functions of ONNX Runtime GenAI's C API that the plug-in uses, declared by ourselves so that
// no SDK is needed to build, and resolved at run time. Signatures as of 0.9 to 0.18, which agree on
// them. Of ONNX Runtime itself only the version is asked for; GenAI does the rest.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "base/shared_library.h"

namespace phial::ort {

// Opaque to us; owned by the runtime.
struct OgaResult;
struct OgaConfig;
struct OgaModel;
struct OgaGeneratorParams;
struct OgaGenerator;
struct OgaTensor;

// name in the library, type. A result that isn't null is a failure, and must be destroyed.
#define PHIAL_OGA_FUNCTIONS(X)                                                                     \
  X(OgaResultGetError, const char* (*)(const OgaResult*))                                          \
  X(OgaDestroyResult, void (*)(OgaResult*))                                                        \
  X(OgaDestroyString, void (*)(const char*))                                                       \
  X(OgaShutdown, void (*)())                                                                       \
  X(OgaCreateConfig, OgaResult* (*)(const char*, OgaConfig**))                                     \
  X(OgaConfigClearProviders, OgaResult* (*)(OgaConfig*))                                           \
  X(OgaConfigAppendProvider, OgaResult* (*)(OgaConfig*, const char*))                              \
  X(OgaConfigSetProviderOption, OgaResult* (*)(OgaConfig*, const char*, const char*, const char*)) \
  X(OgaConfigOverlay, OgaResult* (*)(OgaConfig*, const char*))                                     \
  X(OgaDestroyConfig, void (*)(OgaConfig*))                                                        \
  X(OgaCreateModelFromConfig, OgaResult* (*)(const OgaConfig*, OgaModel**))                        \
  X(OgaModelGetDeviceType, OgaResult* (*)(const OgaModel*, const char**))                          \
  X(OgaDestroyModel, void (*)(OgaModel*))                                                          \
  X(OgaCreateGeneratorParams, OgaResult* (*)(const OgaModel*, OgaGeneratorParams**))               \
  X(OgaGeneratorParamsSetSearchNumber, OgaResult* (*)(OgaGeneratorParams*, const char*, double))   \
  X(OgaGeneratorParamsSetSearchBool, OgaResult* (*)(OgaGeneratorParams*, const char*, bool))       \
  X(OgaDestroyGeneratorParams, void (*)(OgaGeneratorParams*))                                      \
  X(OgaCreateGenerator,                                                                            \
    OgaResult* (*)(const OgaModel*, const OgaGeneratorParams*, OgaGenerator**))                    \
  X(OgaGenerator_AppendTokens, OgaResult* (*)(OgaGenerator*, const int32_t*, size_t))              \
  X(OgaGenerator_RewindTo, OgaResult* (*)(OgaGenerator*, size_t))                                  \
  X(OgaGenerator_SetLogits, OgaResult* (*)(OgaGenerator*, OgaTensor*))                             \
  X(OgaGenerator_GenerateNextToken, OgaResult* (*)(OgaGenerator*))                                 \
  X(OgaGenerator_GetLogits, OgaResult* (*)(OgaGenerator*, OgaTensor**))                            \
  X(OgaGenerator_GetOutput, OgaResult* (*)(const OgaGenerator*, const char*, OgaTensor**))         \
  X(OgaDestroyGenerator, void (*)(OgaGenerator*))                                                  \
  X(OgaCreateTensorFromBuffer,                                                                     \
    OgaResult* (*)(void*, const int64_t*, size_t, int32_t, OgaTensor**))                           \
  X(OgaTensorGetType, OgaResult* (*)(OgaTensor*, int32_t*))                                        \
  X(OgaTensorGetShapeRank, OgaResult* (*)(OgaTensor*, size_t*))                                    \
  X(OgaTensorGetShape, OgaResult* (*)(OgaTensor*, int64_t*, size_t))                               \
  X(OgaTensorGetData, OgaResult* (*)(OgaTensor*, void**))                                          \
  X(OgaDestroyTensor, void (*)(OgaTensor*))

// OgaElementType, which has ONNX's numbers.
inline constexpr int32_t kElementF32 = 1, kElementF16 = 10;

// libonnxruntime, asked for its version before GenAI is loaded: GenAI ends the process if it can't
// get an OrtApi that it knows.
struct OrtLibrary {
  // Loads it so that others find its symbols. Throws kNotFound with the loader's words,
  // kUnsupported if it isn't ONNX Runtime or too old.
  explicit OrtLibrary(const fs::path& file);

  SharedLibrary library;
  std::string version;  // "1.31.1"
};

// libonnxruntime-genai over a libonnxruntime that has been loaded.
struct OgaApi {
  // Resolves everything. Throws kUnsupported, naming the file and the functions that are missing.
  OgaApi(const SharedLibrary& genai, const OrtLibrary& ort);

  fs::path path, ort_path;
  std::string version;       // of GenAI: "0.18.0", or "of an unknown version"
  std::string ort_version;   // "1.31.1"
  bool ort_has_dml = false;  // that libonnxruntime was built with DirectML

  template <class Pointer>
  using Keep = Pointer;  // lets a function pointer's type stand before the name
#define PHIAL_OGA_FIELD(name, ...) Keep<__VA_ARGS__> name = nullptr;
  PHIAL_OGA_FUNCTIONS(PHIAL_OGA_FIELD)
#undef PHIAL_OGA_FIELD
};

// "0.18.0" of a folder site-packages/onnxruntime_genai with onnxruntime_genai-0.18.0.dist-info
// beside it (or those of the variants -cuda, -directml, ...); empty if unknown.
std::string genai_version_beside(const fs::path& library);

}  // namespace phial::ort
