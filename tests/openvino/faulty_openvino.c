// SPDX-License-Identifier: Apache-2.0
// Stands before the real libopenvino_c and makes it fail on command, for what no test machine does by itself. Built by
// faults.py and linked with the real library: what isn't defined here is found there.
//
//   FAULT_VERSION=text    the version of OpenVINO
//   FAULT_DEVICES=A,B     devices that are listed too
//   FAULT_DRIVER=text     NPU_DRIVER_VERSION of the NPU
//   FAULT_COMPILE=text    compiling for an NPU or GPU fails with this message
//   FAULT_INFER=n         from the n-th inference on the device is lost
//   FAULT_WAIT=path       compiling waits until this fifo can be read
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
  const char *build_number, *description;
} version_t;
typedef struct {
  char** names;
  size_t count;
} devices_t;

enum { kGeneralError = -1, kMost = 64 };

static _Thread_local const char* own_message;
static atomic_int inferences;

static void* real(const char* name) {
  void* function = dlsym(RTLD_NEXT, name);
  if (!function) fprintf(stderr, "faulty_openvino: %s is missing\n", name), abort();
  return function;
}

static int fail(const char* message) {
  own_message = message;
  return kGeneralError;
}

int ov_get_openvino_version(version_t* version) {
  const char* wanted = getenv("FAULT_VERSION");
  if (!wanted) return ((int (*)(version_t*))real("ov_get_openvino_version"))(version);
  version->build_number = wanted;
  version->description = "OpenVINO Runtime";
  return 0;
}

void ov_version_free(version_t* version) {
  if (!getenv("FAULT_VERSION")) ((void (*)(version_t*))real("ov_version_free"))(version);
}

const char* ov_get_last_err_msg(void) {
  if (!own_message) return ((const char* (*)(void))real("ov_get_last_err_msg"))();
  const char* message = own_message;
  own_message = NULL;
  return message;
}

// Ours are texts of the environment or constants.
void ov_free(const char* text) {
  for (const char* const* name = (const char* const[]){"FAULT_COMPILE", "FAULT_DRIVER", NULL}; *name; ++name) {
    const char* ours = getenv(*name);
    if (ours && ours == text) return;
  }
  if (strcmp(text, "the device was lost") != 0) ((void (*)(const char*))real("ov_free"))(text);
}

int ov_core_get_available_devices(const void* core, devices_t* devices) {
  const int status = ((int (*)(const void*, devices_t*))real("ov_core_get_available_devices"))(core, devices);
  const char* more = getenv("FAULT_DEVICES");
  if (status != 0 || !more) return status;
  char** names = calloc(devices->count + kMost, sizeof *names);
  for (size_t i = 0; i < devices->count; ++i) names[i] = devices->names[i];
  char* text = strdup(more);
  for (char* name = strtok(text, ","); name; name = strtok(NULL, ",")) names[devices->count++] = strdup(name);
  devices->names = names;
  free(text);
  return 0;
}

void ov_available_devices_free(devices_t* devices) {
  if (!getenv("FAULT_DEVICES")) ((void (*)(devices_t*))real("ov_available_devices_free"))(devices);
  devices->names = NULL;  // else a few bytes are lost, in a test
  devices->count = 0;
}

int ov_core_get_property(const void* core, const char* device, const char* key, char** value) {
  const char* driver = getenv("FAULT_DRIVER");
  if (driver && strcmp(device, "NPU") == 0 && strcmp(key, "NPU_DRIVER_VERSION") == 0) {
    *value = (char*)driver;
    return 0;
  }
  return ((int (*)(const void*, const char*, const char*, char**))real("ov_core_get_property"))(core, device, key, value);
}

int ov_core_compile_model(const void* core, const void* model, const char* device, size_t count, void** compiled, ...) {
  const char* message = getenv("FAULT_COMPILE");
  if (message && strncmp(device, "CPU", 3) != 0) return fail(message);
  if (getenv("FAULT_WAIT")) {
    FILE* fifo = fopen(getenv("FAULT_WAIT"), "r");
    if (fifo) fgetc(fifo), fclose(fifo);
  }
  const char* texts[kMost] = {0};
  va_list list;
  va_start(list, compiled);
  for (size_t i = 0; i < count && i < kMost; ++i) texts[i] = va_arg(list, const char*);
  va_end(list);
#define T8(i) texts[i], texts[i + 1], texts[i + 2], texts[i + 3], texts[i + 4], texts[i + 5], texts[i + 6], texts[i + 7]
  return ((int (*)(const void*, const void*, const char*, size_t, void**, ...))real("ov_core_compile_model"))(
      core, model, device, count, compiled, T8(0), T8(8), T8(16), T8(24), T8(32), T8(40), T8(48), T8(56));
}

int ov_infer_request_infer(void* request) {
  const char* first = getenv("FAULT_INFER");
  if (first && atomic_fetch_add(&inferences, 1) + 1 >= atoi(first)) return fail("the device was lost");
  return ((int (*)(void*))real("ov_infer_request_infer"))(request);
}
