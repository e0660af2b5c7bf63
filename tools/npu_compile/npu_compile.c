// SPDX-License-Identifier: Apache-2.0
// A Windows program that asks OpenVINO's NPU compiler for a blob, through OpenVINO's C API. Run under wine by compile.py,
// as OpenVINO's Linux package comes without that compiler. Not part of phial.
//   npu_compile.exe MODEL.xml WEIGHTS.bin BLOB KEY=VALUE...     BLOB "-": compile only
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <windows.h>

typedef struct ov_core ov_core_t;
typedef struct ov_model ov_model_t;
typedef struct ov_compiled_model ov_compiled_model_t;

enum { kMaxSettings = 8 };

static HMODULE library;

static FARPROC find(const char* name) {
  FARPROC f = GetProcAddress(library, name);
  if (!f) {
    printf("openvino_c.dll has no %s\n", name);
    exit(3);
  }
  return f;
}

static void check(int status, const char* what) {
  if (status == 0) return;
  const char* (*last_error)(void) = (const char* (*)(void))find("ov_get_last_err_msg");
  const char* text = last_error();
  printf("%s failed with status %d: %s\n", what, status, text ? text : "");
  exit(1);
}

int main(int argc, char** argv) {
  setvbuf(stdout, NULL, _IONBF, 0);
  if (argc < 4 || argc - 4 > kMaxSettings) {
    printf("usage: npu_compile MODEL.xml WEIGHTS.bin BLOB [KEY=VALUE]... (at most %d)\n", kMaxSettings);
    return 2;
  }
  library = LoadLibraryA("openvino_c.dll");
  if (!library) {
    printf("openvino_c.dll can't be loaded (error %lu): is its folder in WINEPATH?\n", GetLastError());
    return 3;
  }
  int (*core_create)(ov_core_t**) = (int (*)(ov_core_t**))find("ov_core_create");
  int (*read_model)(const ov_core_t*, const char*, const char*, ov_model_t**) =
      (int (*)(const ov_core_t*, const char*, const char*, ov_model_t**))find("ov_core_read_model");
  // Variadic: pairs of key and value, their number first.
  int (*compile)(const ov_core_t*, const ov_model_t*, const char*, size_t, ov_compiled_model_t**, ...) =
      (int (*)(const ov_core_t*, const ov_model_t*, const char*, size_t, ov_compiled_model_t**, ...))find("ov_core_compile_model");
  int (*export_model)(const ov_compiled_model_t*, const char*) =
      (int (*)(const ov_compiled_model_t*, const char*))find("ov_compiled_model_export_model");

  // Of the places below only the first 2 n are read.
  const char* s[2 * kMaxSettings] = {0};
  size_t n = 0;
  for (int i = 4; i < argc; ++i, ++n) {
    char* equals = strchr(argv[i], '=');
    if (!equals) {
      printf("'%s' isn't KEY=VALUE\n", argv[i]);
      return 2;
    }
    *equals = 0;
    s[2 * n] = argv[i];
    s[2 * n + 1] = equals + 1;
  }
  ov_core_t* core = NULL;
  ov_model_t* model = NULL;
  ov_compiled_model_t* compiled = NULL;
  check(core_create(&core), "ov_core_create");
  check(read_model(core, argv[1], argv[2], &model), "ov_core_read_model");
  const DWORD start = GetTickCount();
  check(compile(core, model, "NPU", 2 * n, &compiled, s[0], s[1], s[2], s[3], s[4], s[5], s[6], s[7], s[8], s[9], s[10], s[11],
                s[12], s[13], s[14], s[15]),
        "ov_core_compile_model");
  printf("compiled in %lu ms\n", GetTickCount() - start);
  if (strcmp(argv[3], "-") != 0) check(export_model(compiled, argv[3]), "ov_compiled_model_export_model");
  return 0;
}
