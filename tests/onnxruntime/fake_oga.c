// SPDX-License-Identifier: Apache-2.0
// ONNX Runtime GenAI in C99, without a model: after each token the next higher one. It fails on
// command: FAKE_OGA_FAIL="OgaCreateModelFromConfig=what it says", from the FAKE_OGA_AFTER-th call
// on. With the provider DML it refuses what the real one refuses there. FAKE_OGA_MISSING leaves a
// function out.
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { kVocab = 101, kMost = 8192, kStop = 2 };

typedef struct {
  char message[300];
} Result;
typedef struct {
  char provider[20];
  char options[200];
} Config;
typedef struct {
  int max_length;
} Params;
typedef struct {
  int32_t ids[kMost];
  int length, max_length, first;  // logits are of the ids from `first` on
  bool dml, computed, ended;
  float last[kVocab];  // what the next token is chosen by
} Generator;
typedef struct {
  float* data;
  int64_t shape[3];
  size_t rank;
  bool owned;
} Tensor;

static Result* fail(const char* message) {
  Result* result = malloc(sizeof *result);
  snprintf(result->message, sizeof result->message, "%s", message);
  return result;
}

static Result* on_command(const char* function) {
  static int calls = 0;
  const char *command = getenv("FAKE_OGA_FAIL"), *after = getenv("FAKE_OGA_AFTER");
  const size_t n = strlen(function);
  if (!command || strncmp(command, function, n) != 0 || command[n] != '=') return NULL;
  if (calls++ < (after ? atoi(after) : 0)) return NULL;
  return fail(command + n + 1);
}
#define ON_COMMAND(function)                \
  do {                                      \
    Result* failed = on_command(#function); \
    if (failed) return failed;              \
  } while (0)

static void likeliest(const Generator* g, int at, float* row) {
  int i;
  for (i = 0; i < kVocab; ++i) row[i] = 0;
  row[(g->ids[at] + 1) % kVocab] = 1;
}

const char* OgaResultGetError(const Result* result) { return result->message; }
void OgaDestroyResult(Result* result) { free(result); }
void OgaDestroyString(const char* text) { free((char*)text); }
void OgaShutdown(void) {}
// The telemetry must be off before the library is loaded, and be switched off again.
static bool telemetry = true, telemetry_at_load = true;
__attribute__((constructor)) static void load(void) {
  const char* value = getenv("ORT_DISABLE_TELEMETRY");
  telemetry_at_load = !value || strcmp(value, "1") != 0;
}
void OgaSetTelemetryEnabled(bool enabled) { telemetry = enabled; }

Result* OgaCreateConfig(const char* folder, Config** out) {
  (void)folder;
  ON_COMMAND(OgaCreateConfig);
  if (telemetry || telemetry_at_load) return fail("telemetry is on");
  *out = calloc(1, sizeof **out);
  return NULL;
}
Result* OgaConfigClearProviders(Config* config) {
  config->provider[0] = 0;
  return NULL;
}
Result* OgaConfigAppendProvider(Config* config, const char* provider) {
  ON_COMMAND(OgaConfigAppendProvider);
  snprintf(config->provider, sizeof config->provider, "%s", provider);
  return NULL;
}
Result* OgaConfigSetProviderOption(Config* config, const char* provider, const char* key,
                                   const char* value) {
  const size_t n = strlen(config->options);
  (void)provider;
  ON_COMMAND(OgaConfigSetProviderOption);
  snprintf(config->options + n, sizeof config->options - n, " %s=%s", key, value);
  return NULL;
}
Result* OgaConfigOverlay(Config* config, const char* json) {
  const size_t n = strlen(config->options);
  ON_COMMAND(OgaConfigOverlay);
  snprintf(config->options + n, sizeof config->options - n, " %s", json);
  return NULL;
}
void OgaDestroyConfig(Config* config) { free(config); }

Result* OgaCreateModelFromConfig(const Config* config, Config** out) {
  ON_COMMAND(OgaCreateModelFromConfig);
  *out = malloc(sizeof **out);
  **out = *config;
  return NULL;
}
// The device, and what the configuration was given: a session shows it as its tier.
Result* OgaModelGetDeviceType(const Config* model, const char** out) {
  char* text = malloc(300);
  snprintf(text, 300, "%s%s", model->provider[0] ? model->provider : "CPU", model->options);
  *out = text;
  return NULL;
}
void OgaDestroyModel(Config* model) { free(model); }

Result* OgaCreateGeneratorParams(const Config* model, Params** out) {
  (void)model;
  ON_COMMAND(OgaCreateGeneratorParams);
  *out = calloc(1, sizeof **out);
  return NULL;
}
Result* OgaGeneratorParamsSetSearchNumber(Params* params, const char* name, double value) {
  if (strcmp(name, "max_length") == 0) params->max_length = (int)value;
  return NULL;
}
Result* OgaGeneratorParamsSetSearchBool(Params* params, const char* name, bool value) {
  (void)params, (void)name, (void)value;
  return NULL;
}
void OgaDestroyGeneratorParams(Params* params) { free(params); }

Result* OgaCreateGenerator(const Config* model, const Params* params, Generator** out) {
  ON_COMMAND(OgaCreateGenerator);
  if (params->max_length > kMost) return fail("Failed to allocate memory for requested buffer");
  *out = calloc(1, sizeof **out);
  (*out)->max_length = params->max_length;
  (*out)->dml = strcmp(model->provider, "DML") == 0;
  return NULL;
}
static Result* append(Generator* g, const int32_t* ids, size_t count) {
  if (g->length + (int)count > g->max_length) return fail("exceeds max length");
  memcpy(g->ids + g->length, ids, count * sizeof *ids);
  g->first = g->length;
  g->length += (int)count;
  likeliest(g, g->length - 1, g->last);
  g->computed = true;
  return NULL;
}
Result* OgaGenerator_AppendTokens(Generator* g, const int32_t* ids, size_t count) {
  ON_COMMAND(OgaGenerator_AppendTokens);
  if (g->dml && g->length)
    return fail("Continuous decoding is not supported on the selected device type (DML)");
  return append(g, ids, count);
}
Result* OgaGenerator_RewindTo(Generator* g, size_t length) {
  ON_COMMAND(OgaGenerator_RewindTo);
  if ((int)length > g->length) return fail("Cannot rewind to a greater length");
  g->length = (int)length;
  g->computed = g->ended = false;
  return NULL;
}
Result* OgaGenerator_SetLogits(Generator* g, Tensor* tensor) {
  ON_COMMAND(OgaGenerator_SetLogits);
  if (!g->computed) return fail("logits are not computed yet");
  memcpy(g->last, tensor->data, sizeof g->last);
  return NULL;
}
Result* OgaGenerator_GenerateNextToken(Generator* g) {
  int i, best = 0;
  ON_COMMAND(OgaGenerator_GenerateNextToken);
  for (i = 1; i < kVocab; ++i)
    if (g->last[i] > g->last[best]) best = i;
  if (g->ended) best = 0;  // padding
  if (best == kStop) g->ended = true;
  g->first = g->length;
  g->ids[g->length++] = best;
  g->computed = false;
  return NULL;
}
static Result* rows(Generator* g, int first, Tensor** out) {
  Tensor* tensor = calloc(1, sizeof *tensor);
  int i;
  tensor->rank = 3;
  tensor->shape[0] = 1;
  tensor->shape[1] = g->length - first;
  tensor->shape[2] = kVocab;
  tensor->data = malloc(sizeof(float) * kVocab * (size_t)(g->length - first));
  tensor->owned = true;
  for (i = first; i < g->length; ++i) likeliest(g, i, tensor->data + (i - first) * kVocab);
  *out = tensor;
  return NULL;
}
Result* OgaGenerator_GetLogits(Generator* g, Tensor** out) {
  ON_COMMAND(OgaGenerator_GetLogits);
  likeliest(g, g->length - 1, g->last);
  g->computed = true;
  return rows(g, g->length - 1, out);
}
Result* OgaGenerator_GetOutput(Generator* g, const char* name, Tensor** out) {
  ON_COMMAND(OgaGenerator_GetOutput);
  if (strcmp(name, "logits") != 0) return fail("no such output");
  return rows(g, g->first, out);
}
void OgaDestroyGenerator(Generator* g) { free(g); }

#ifndef FAKE_OGA_OLD
Result* OgaCreateTensorFromBuffer(void* data, const int64_t* shape, size_t rank, int32_t type,
                                  Tensor** out) {
  (void)type;
  *out = calloc(1, sizeof **out);
  (*out)->data = data;
  (*out)->rank = rank;
  memcpy((*out)->shape, shape, rank * sizeof *shape);
  return NULL;
}
#endif
Result* OgaTensorGetType(Tensor* tensor, int32_t* out) {
  (void)tensor;
  *out = 1;
  return NULL;
}
Result* OgaTensorGetShapeRank(Tensor* tensor, size_t* out) {
  *out = tensor->rank;
  return NULL;
}
Result* OgaTensorGetShape(Tensor* tensor, int64_t* out, size_t rank) {
  memcpy(out, tensor->shape, rank * sizeof *out);
  return NULL;
}
Result* OgaTensorGetData(Tensor* tensor, void** out) {
  *out = tensor->data;
  return NULL;
}
void OgaDestroyTensor(Tensor* tensor) {
  if (tensor->owned) free(tensor->data);
  free(tensor);
}
