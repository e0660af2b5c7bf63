// SPDX-License-Identifier: Apache-2.0
// A plug-in in C99, whose model says after each token the next higher one. Built several times,
// with FAKE_NAME and, for the plug-ins that can't be used, FAKE_ABI and FAKE_SIZE.
#include <phial/backend_abi.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifndef FAKE_ABI
#define FAKE_ABI PHIAL_PLUGIN_ABI
#endif
#ifndef FAKE_SIZE
#define FAKE_SIZE sizeof(phial_plugin)
#endif

enum { kVocab = 10, kContext = 8, kSequences = 2 };

struct phial_plugin_session {
  phial_notice notice;
  void* notice_user;
  int32_t ids[kSequences];
  int32_t lengths[kSequences];
  char tier[200];
};

static phial_code devices(const phial_plugin_settings* settings, int32_t quick,
                          const phial_plugin_device** list, size_t* count, const char** message) {
  static const phial_plugin_device all[] = {{FAKE_NAME ":GPU.0", "gpu", "a fake GPU", ""},
                                            {FAKE_NAME ":NPU", "npu", "", "there is no NPU"}};
  size_t i;
  for (i = 0; i < settings->count; ++i) {
    if (strcmp(settings->text[i], "fail=yes") == 0) {
      *message = "the fake fails as asked";
      return PHIAL_IO;
    }
  }
  *list = all;
  *count = quick ? 1 : 2;
  return PHIAL_OK;
}

static phial_code accepts(const phial_plugin_settings* settings, const char* folder,
                          const char* device, int32_t* rank, const char** reason,
                          const char** message) {
  (void)settings;
  if (strstr(folder, "unreadable")) {
    *message = "the package can't be read";
    return PHIAL_CORRUPT;
  }
  *rank = strcmp(device, FAKE_NAME ":GPU.0") == 0 ? 80 : 0;
  *reason = *rank ? "the fake runs it" : "the fake has no such device";
  return PHIAL_OK;
}

static phial_code open_session(const char* folder, const char* device,
                               const phial_plugin_open_options* options,
                               phial_plugin_session** session, const char** message) {
  phial_plugin_session* made;
  size_t i;
  (void)device;
  if (strstr(folder, "silent")) return PHIAL_UNSUPPORTED;
  if (strstr(folder, "strange")) return (phial_code)77;
  if (strstr(folder, "nothing")) return PHIAL_OK;
  made = calloc(1, sizeof *made);
  if (!made) {
    *message = "out of memory";
    return PHIAL_OUT_OF_MEMORY;
  }
  made->notice = options->notice;
  made->notice_user = options->notice_user;
  for (i = 0; i < kSequences; ++i) made->ids[i] = -1;
  snprintf(made->tier, sizeof made->tier, "%d %d %s %s", options->threads, options->context,
           options->kv_cache, options->settings.count ? options->settings.text[0] : "-");
  if (made->notice) made->notice(made->notice_user, PHIAL_NOTICE_INFO, "the fake opens");
  *session = made;
  return PHIAL_OK;
}

static void close_session(phial_plugin_session* session) {
  if (session->notice) session->notice(session->notice_user, PHIAL_NOTICE_WARNING, "it closes");
  free(session);
}

static void limits(const phial_plugin_session* session, phial_plugin_limits* limits) {
  (void)session;
  limits->vocab = kVocab;
  limits->max_context = kContext;
  limits->max_sequences = kSequences;
  limits->prefill_chunk = 3;
  limits->cheap_truncate = 1;
}

static int32_t* find(const phial_plugin_session* session, int32_t sequence) {
  int32_t i;
  for (i = 0; i < kSequences; ++i)
    if (session->ids[i] == sequence) return (int32_t*)&session->lengths[i];
  return NULL;
}

static phial_code step(phial_plugin_session* session, const phial_plugin_step* steps, size_t count,
                       phial_interrupt interrupt, void* user, const char** message) {
  size_t i, t;
  if (interrupt && interrupt(user)) {
    *message = "the fake was stopped";
    return PHIAL_CANCELLED;
  }
  for (i = 0; i < count; ++i) {
    int32_t* length = find(session, steps[i].sequence);
    if (!length && (length = find(session, -1)) != NULL)
      session->ids[length - session->lengths] = steps[i].sequence;
    if (!length) {
      *message = "the fake has two sequences";
      return PHIAL_INVALID_ARGUMENT;
    }
    if (*length + (int32_t)steps[i].n_tokens > kContext) {
      *message = "the fake holds 8 tokens";
      return PHIAL_CONTEXT_FULL;
    }
    *length += (int32_t)steps[i].n_tokens;
    for (t = 0; steps[i].logits && t < steps[i].n_tokens; ++t) {
      float* row = steps[i].logits + (steps[i].all_logits ? t * kVocab : 0);
      memset(row, 0, kVocab * sizeof *row);
      row[(steps[i].tokens[t] + 1) % kVocab] = 1;
    }
  }
  return PHIAL_OK;
}

static void truncate_sequence(phial_plugin_session* session, int32_t sequence, int32_t length) {
  int32_t* found = find(session, sequence);
  if (found && *found > length) *found = length;
}

static void release(phial_plugin_session* session, int32_t sequence) {
  int32_t* found = find(session, sequence);
  if (!found) return;
  *found = 0;
  session->ids[found - session->lengths] = -1;
}

static int32_t length(const phial_plugin_session* session, int32_t sequence) {
  const int32_t* found = find(session, sequence);
  return found ? *found : 0;
}

static const char* device(const phial_plugin_session* session) {
  (void)session;
  return FAKE_NAME ":GPU.0";
}
static const char* tier(const phial_plugin_session* session) { return session->tier; }

__attribute__((visibility("default"))) const phial_plugin* phial_backend_plugin(uint32_t host_abi) {
  static const phial_plugin table = {FAKE_ABI,
                                     (uint32_t)FAKE_SIZE,
                                     FAKE_NAME,
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
  return host_abi ? &table : NULL;
}
