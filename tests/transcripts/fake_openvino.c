// SPDX-License-Identifier: Apache-2.0
// Stands for OpenVINO's plug-in on computers that it has never seen: the environment variable
// FAKE_OPENVINO names the devices that work ("GPU,NPU"). Its model says after each token the next
// higher one; FAKE_OPENVINO_FAILS names a device that can't be opened after all.
#include <phial/backend_abi.h>
#include <stdlib.h>
#include <string.h>

enum { kVocab = 315, kContext = 256 };  // as tests/transcripts/tiny_model.py has them

struct phial_plugin_session {
  char device[32];
  int32_t id, length;
};

static int works(const char* device) {
  const char* named = getenv("FAKE_OPENVINO");
  const char* name = strchr(device, ':');
  return named && name && strstr(named, name + 1) != NULL;
}

static phial_code devices(const phial_plugin_settings* settings, int32_t quick,
                          const phial_plugin_device** list, size_t* count, const char** message) {
  static phial_plugin_device all[] = {{"openvino:CPU", "cpu", "a CPU, OpenVINO 2026.4.1", ""},
                                      {"openvino:GPU", "gpu", "a GPU, OpenVINO 2026.4.1", ""},
                                      {"openvino:NPU", "npu", "an NPU, OpenVINO 2026.4.1", ""}};
  (void)settings;
  (void)message;
  all[1].why_not = works(all[1].id) ? "" : "OpenVINO sees no Intel GPU";
  all[2].why_not = works(all[2].id) ? "" : "OpenVINO sees no NPU";
  *list = all;
  *count = quick && !works(all[1].id) && !works(all[2].id) ? 0 : 3;
  return PHIAL_OK;
}

static phial_code accepts(const phial_plugin_settings* settings, const char* folder,
                          const char* device, int32_t* rank, const char** reason,
                          const char** message) {
  (void)settings;
  (void)folder;
  (void)message;
  *rank = strstr(device, "NPU") ? 70 : strstr(device, "GPU") ? 80 : 40;
  if (!strstr(device, "CPU") && !works(device)) *rank = 0;
  *reason = *rank ? "OpenVINO 2026.4.1 runs it" : "OpenVINO doesn't see it";
  return PHIAL_OK;
}

static phial_code open_session(const char* folder, const char* device,
                               const phial_plugin_open_options* options,
                               phial_plugin_session** session, const char** message) {
  const char* fails = getenv("FAKE_OPENVINO_FAILS");
  (void)folder;
  (void)options;
  if (fails && *fails && strstr(device, fails)) {
    *message = "its driver lacks the compiler";
    return PHIAL_UNSUPPORTED;
  }
  *session = calloc(1, sizeof **session);
  if (!*session) return PHIAL_OUT_OF_MEMORY;
  (*session)->id = -1;
  strncpy((*session)->device, device, sizeof(*session)->device - 1);
  return PHIAL_OK;
}

static void close_session(phial_plugin_session* session) { free(session); }

static void limits(const phial_plugin_session* session, phial_plugin_limits* limits) {
  (void)session;
  limits->vocab = kVocab;
  limits->max_context = kContext;
  limits->max_sequences = 1;
  limits->cheap_truncate = 1;
}

static phial_code step(phial_plugin_session* session, const phial_plugin_step* steps, size_t count,
                       phial_interrupt interrupt, void* user, const char** message) {
  size_t i, t;
  (void)interrupt;
  (void)user;
  for (i = 0; i < count; ++i) {
    if (steps[i].sequence != session->id) session->length = 0;
    session->id = steps[i].sequence;
    if (session->length + (int32_t)steps[i].n_tokens > kContext) {
      *message = "it is full";
      return PHIAL_CONTEXT_FULL;
    }
    session->length += (int32_t)steps[i].n_tokens;
    for (t = 0; steps[i].logits && t < steps[i].n_tokens; ++t) {
      float* row = steps[i].logits + (steps[i].all_logits ? t * kVocab : 0);
      memset(row, 0, kVocab * sizeof *row);
      row[(steps[i].tokens[t] + 1) % kVocab] = 1;
    }
  }
  return PHIAL_OK;
}

static void truncate_sequence(phial_plugin_session* session, int32_t sequence, int32_t length) {
  if (session->id == sequence && session->length > length) session->length = length;
}
static void release(phial_plugin_session* session, int32_t sequence) {
  if (session->id == sequence) session->id = -1;
}
static int32_t length(const phial_plugin_session* session, int32_t sequence) {
  return session->id == sequence ? session->length : 0;
}
static const char* device(const phial_plugin_session* session) { return session->device; }
static const char* tier(const phial_plugin_session* session) {
  (void)session;
  return "a stand-in";
}

PHIAL_PLUGIN_EXPORT const phial_plugin* phial_backend_plugin(uint32_t host_abi) {
  static const phial_plugin table = {PHIAL_PLUGIN_ABI,
                                     sizeof(phial_plugin),
                                     "openvino",
                                     "1.0",
                                     &devices,
                                     &accepts,
                                     &open_session,
                                     &close_session,
                                     &limits,
                                     &step,
                                     &truncate_sequence,
                                     &release,
                                     &length,
                                     &device,
                                     &tier};
  (void)host_abi;
  return &table;
}
