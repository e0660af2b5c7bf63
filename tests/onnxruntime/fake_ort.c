// SPDX-License-Identifier: Apache-2.0
// The one function of libonnxruntime that is asked before GenAI is loaded. FAKE_ORT_VERSION is the
// version it tells, FAKE_ORT_API the greatest number of an OrtApi that it has.
#include <stddef.h>
#include <stdint.h>

static int api;
static const void* get_api(uint32_t version) { return version <= FAKE_ORT_API ? &api : NULL; }
static const char* get_version(void) { return FAKE_ORT_VERSION; }

struct OrtApiBase {
  const void* (*get_api)(uint32_t);
  const char* (*get_version)(void);
};
const struct OrtApiBase* OrtGetApiBase(void) {
  static const struct OrtApiBase base = {&get_api, &get_version};
  return &base;
}
