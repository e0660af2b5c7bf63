// SPDX-License-Identifier: Apache-2.0
// The functions of OpenVINO's C API that the plug-in uses, declared by ourselves so that no SDK is
// needed to build, and resolved at run time. Signatures as of OpenVINO 2024.5 to 2026.4, which
// agree on them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "base/shared_library.h"

namespace phial::ov {

// Opaque to us; owned by the runtime.
struct CCore;
struct CModel;
struct CCompiled;
struct CRequest;
struct CTensor;

using Status = int;  // 0: success, below: an error
inline constexpr Status kOk = 0;

struct CVersion {
  const char* build_number;
  const char* description;
};
struct CDevices {
  char** names;
  size_t count;
};
struct CShape {
  int64_t rank;
  int64_t* dims;
};

// name in the library, type. Functions that take "..." read pairs of const char*, key and value.
#define PHIAL_OV_FUNCTIONS(X)                                                                      \
  X(ov_get_openvino_version, Status (*)(CVersion*))                                                \
  X(ov_version_free, void (*)(CVersion*))                                                          \
  X(ov_get_last_err_msg, const char* (*)())                                                        \
  X(ov_free, void (*)(const char*))                                                                \
  X(ov_core_create, Status (*)(CCore**))                                                           \
  X(ov_core_free, void (*)(CCore*))                                                                \
  X(ov_core_get_available_devices, Status (*)(const CCore*, CDevices*))                            \
  X(ov_available_devices_free, void (*)(CDevices*))                                                \
  X(ov_core_get_property, Status (*)(const CCore*, const char*, const char*, char**))              \
  X(ov_core_set_property, Status (*)(const CCore*, const char*, ...))                              \
  X(ov_core_read_model_from_memory_buffer,                                                         \
    Status (*)(const CCore*, const char*, size_t, const CTensor*, CModel**))                       \
  X(ov_core_compile_model,                                                                         \
    Status (*)(const CCore*, const CModel*, const char*, size_t, CCompiled**, ...))                \
  X(ov_core_import_model, Status (*)(const CCore*, const char*, size_t, const char*, CCompiled**)) \
  X(ov_model_free, void (*)(CModel*))                                                              \
  X(ov_compiled_model_create_infer_request, Status (*)(const CCompiled*, CRequest**))              \
  X(ov_compiled_model_get_property, Status (*)(const CCompiled*, const char*, char**))             \
  X(ov_compiled_model_export_model, Status (*)(const CCompiled*, const char*))                     \
  X(ov_compiled_model_free, void (*)(CCompiled*))                                                  \
  X(ov_infer_request_set_tensor, Status (*)(CRequest*, const char*, const CTensor*))               \
  X(ov_infer_request_get_tensor, Status (*)(const CRequest*, const char*, CTensor**))              \
  X(ov_infer_request_infer, Status (*)(CRequest*))                                                 \
  X(ov_infer_request_free, void (*)(CRequest*))                                                    \
  X(ov_tensor_create, Status (*)(int, CShape, CTensor**))                                          \
  X(ov_tensor_create_from_host_ptr, Status (*)(int, CShape, void*, CTensor**))                     \
  X(ov_tensor_data, Status (*)(const CTensor*, void**))                                            \
  X(ov_tensor_get_size, Status (*)(const CTensor*, size_t*))                                       \
  X(ov_tensor_get_byte_size, Status (*)(const CTensor*, size_t*))                                  \
  X(ov_tensor_get_element_type, Status (*)(const CTensor*, int*))                                  \
  X(ov_tensor_free, void (*)(CTensor*))

// ov_element_type_e. Its numbers moved by one when OpenVINO dropped "undefined": Api knows by how
// much.
enum class Element { kF16 = 3, kF32 = 4, kI32 = 9, kI64 = 10, kU8 = 16 };

struct Api {
  // Resolves everything. Throws kUnsupported, naming the file and the function, if one is missing
  // or the version is older than the oldest that will do.
  explicit Api(const SharedLibrary& library);

  int type(Element element) const { return static_cast<int>(element) + type_shift; }

  fs::path path;
  std::string version;       // "2026.4.1"
  std::string full_version;  // "2026.4.1-22982-abcdef"
  int type_shift = 0;

  template <class Pointer>
  using Keep = Pointer;  // lets a function pointer's type stand before the name
#define PHIAL_OV_FIELD(name, ...) Keep<__VA_ARGS__> name = nullptr;
  PHIAL_OV_FUNCTIONS(PHIAL_OV_FIELD)
#undef PHIAL_OV_FIELD
};

}  // namespace phial::ov
