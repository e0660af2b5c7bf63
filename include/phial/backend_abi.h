// SPDX-License-Identifier: Apache-2.0
// What an engine that lives in a shared library of its own (a plug-in) offers to phial. Compiles as
// C99 and as C++20, so that the two sides may come from different compilers.
//
// A plug-in is a file phial_<name>.so (.dll) with one exported function, phial_backend_plugin.
// phial looks for it in the folders of PHIAL_PLUGIN_PATH, then in phial/plugins beside the library
// that holds phial's own code, and in ../lib/phial/plugins of it.
//
// Rules that hold for every function here:
//
// Errors. A function that can fail returns PHIAL_OK or one of phial.h's codes, and on failure sets
// *message to one sentence. Out parameters other than that are written on success only. No C++
// exception leaves a plug-in, none enters it (the callbacks of the host don't throw). A plug-in
// never prints, aborts or exits.
//
// Memory. What a plug-in hands out (messages, lists, texts) belongs to the plug-in and is valid
// until the next call into the plug-in on the same thread. What it is given is used during the call
// only, save for the notice callback, which must stay callable until the session is closed. Nothing
// that one side allocates is freed by the other.
//
// Threads. devices, accepts and open may be called by several threads at once. A session is for one
// thread at a time, not always the same. Callbacks come on the thread that made the call.
//
// Text is UTF-8 and ends with a zero byte; paths too.
//
// Growth. `abi` changes when something here changes its meaning; then the other side says so and
// declines. Structs grow at their end, and `size` says how much of one there is.
#ifndef PHIAL_BACKEND_ABI_H_
#define PHIAL_BACKEND_ABI_H_

#include <phial/phial.h>

#ifdef __cplusplus
extern "C" {
#endif

#define PHIAL_PLUGIN_ABI 1u
#define PHIAL_PLUGIN_SYMBOL "phial_backend_plugin"

/* What a plug-in puts before that function. */
#if defined(_WIN32)
#define PHIAL_PLUGIN_EXPORT __declspec(dllexport)
#else
#define PHIAL_PLUGIN_EXPORT __attribute__((visibility("default")))
#endif

// A device that the plug-in knows of, usable or not.
typedef struct phial_plugin_device {
  const char* id;           // "openvino:GPU.0": begins with the plug-in's name and a colon
  const char* kind;         // "cpu", "gpu" or "npu"
  const char* description;  // "Intel(R) Arc(TM) 140V GPU"; may be ""
  const char* why_not;      // "": usable. Else the sentence why not
} phial_plugin_device;

// Settings of the user that the host passes on as they are, each "KEY=VALUE". Keys in lower case
// are the plug-in's own, others those of the runtime behind it. One that begins with the name of a
// plug-in and a point ("onnxruntime.library=...") is given to that one only.
typedef struct phial_plugin_settings {
  const char* const* text;
  size_t count;
} phial_plugin_settings;

typedef struct phial_plugin_open_options {
  size_t size;
  int32_t context;        // tokens per sequence; 0: the model's maximum
  int32_t max_sequences;  // at least 1
  int32_t threads;        // 0: all available
  int32_t prefill_chunk;  // 0: the engine's choice
  const char* kv_cache;   // "u8", "i16", "f16", "f32", or "": the engine's choice
  phial_plugin_settings settings;
  phial_notice notice;  // may be NULL; see phial.h
  void* notice_user;
  const char* activations;  // "int8", "int16", or "": the engine's choice; see phial.h
} phial_plugin_open_options;

typedef struct phial_plugin_limits {
  size_t size;  // set by the host
  int32_t vocab;
  int32_t max_context;     // tokens a sequence can hold
  int32_t max_sequences;   // at once
  int32_t prefill_chunk;   // tokens the engine takes in one go; 0: any
  int32_t cheap_truncate;  // 0: truncating means a new prefill
} phial_plugin_limits;

// Tokens to append to a sequence; an id that is new begins an empty one.
typedef struct phial_plugin_step {
  int32_t sequence;
  int32_t all_logits;  // 0: logits of the last token, [vocab]; else of all, [n_tokens, vocab]
  const int32_t* tokens;
  size_t n_tokens;
  float* logits;  // NULL: fill the cache only
} phial_plugin_step;

typedef struct phial_plugin_session phial_plugin_session;  // the plug-in's own

typedef struct phial_plugin {
  uint32_t abi;         // PHIAL_PLUGIN_ABI
  uint32_t size;        // of this struct
  const char* name;     // "openvino"
  const char* version;  // of the plug-in: "0.1.0"

  // The devices. With `quick` not 0 only those that can be ruled in without slow work: an answer of
  // none is an ordinary one. Never fails because a runtime isn't installed: that is a `why_not`.
  phial_code (*devices)(const phial_plugin_settings* settings, int32_t quick,
                        const phial_plugin_device** list, size_t* count, const char** message);

  // Can the package in `folder` run on `device`? rank > 0: yes, higher is better (phial's own CPU
  // engine says 50); 0: no. `reason` is a sentence either way. `device` need not be in the list.
  // Fails only if the package can't be read.
  phial_code (*accepts)(const phial_plugin_settings* settings, const char* folder,
                        const char* device, int32_t* rank, const char** reason,
                        const char** message);

  phial_code (*open)(const char* folder, const char* device,
                     const phial_plugin_open_options* options, phial_plugin_session** session,
                     const char** message);
  void (*close)(phial_plugin_session* session);

  void (*limits)(const phial_plugin_session* session, phial_plugin_limits* limits);

  // All steps or none: after a failure every sequence is as it was before the call.
  // PHIAL_CONTEXT_FULL, PHIAL_INVALID_ARGUMENT (a token outside the vocabulary, too many sequences,
  // a sequence twice), PHIAL_CANCELLED (`interrupt`, which may be NULL, returned not 0).
  phial_code (*step)(phial_plugin_session* session, const phial_plugin_step* steps, size_t count,
                     phial_interrupt interrupt, void* user, const char** message);

  // Forget everything after the first `length` tokens. No effect if the sequence is shorter or
  // unknown.
  void (*truncate)(phial_plugin_session* session, int32_t sequence, int32_t length);
  void (*release)(phial_plugin_session* session, int32_t sequence);
  int32_t (*length)(const phial_plugin_session* session, int32_t sequence);  // 0 if unknown

  // For people: the device that was asked for, and what really executes. Valid until close.
  const char* (*device)(const phial_plugin_session* session);
  const char* (*tier)(const phial_plugin_session* session);

  // Ahead of time: compiles the package for `device`, which this computer needn't have, into the
  // new folder `destination` (written beside and renamed). Of the options settings and notice
  // count. NULL: this plug-in has nothing to compile.
  phial_code (*compile)(const char* folder, const char* device, const char* destination,
                        const phial_plugin_open_options* options, const char** message);
} phial_plugin;

// The plug-in's table, which lives as long as the process. `host_abi` is the host's
// PHIAL_PLUGIN_ABI: a plug-in that knows several answers with the one that fits, else with its own.
typedef const phial_plugin* (*phial_backend_plugin_function)(uint32_t host_abi);

#ifdef __cplusplus
}  // extern "C"
#endif

#endif  // PHIAL_BACKEND_ABI_H_
