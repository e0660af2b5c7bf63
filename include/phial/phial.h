// SPDX-License-Identifier: Apache-2.0
// phial's C interface: the only binary interface of the library. Compiles as C99 and as C++20;
// phial.hpp wraps it for C++. What is about the computer and not about a model is in
// phial_computer.h, which this file includes.
//
// Rules that hold for every function here, unless it says otherwise:
//
// Errors. A function that can fail returns phial_error*: NULL means success, anything else
// describes the failure and is released with phial_error_free(). Out parameters are written on
// success only. No exception and no signal comes out of the library; it never prints, exits or
// changes global state (it reads the environment variables PHIAL_ISA, PHIAL_PLUGIN_PATH and those
// that the plug-ins' pages name).
//
// Memory. Handles are released by the function named beside their type; releasing NULL does
// nothing. Texts, id lists and JSON documents that are handed out through `T**` parameters belong
// to the caller: phial_free(). Pointers returned by an accessor (phial_result_text,
// phial_error_message, ...) live as long as the handle they came from. What is passed in is copied
// or used during the call only.
//
// Text is UTF-8. Where a text is an (address, length) pair it may hold zero bytes; texts handed out
// are also followed by a zero byte.
//
// Threads. Different handles may be used by different threads at once. A phial_model may be shared:
// calls that run it wait for each other. A phial_tokenizer may be shared freely. A phial_chat, a
// phial_session and a phial_result are for one thread at a time. Callbacks run on the calling
// thread and must neither call into the same model (phial_cancel and accessors of results
// excepted) nor throw.
//
// Growth. Option structs begin with `size`; the matching *_init function, which is told the size
// that the caller's header gives them, sets it and every default:
// phial_model_options_init(&options, sizeof options). Set fields after that. Later versions append
// fields and know an older caller by its size; a newer caller's fields that this library doesn't
// know are set to zero and not read.
#ifndef PHIAL_PHIAL_H_
#define PHIAL_PHIAL_H_

#include <stddef.h>
#include <stdint.h>

#if defined(_WIN32)
#if defined(PHIAL_BUILDING)
#define PHIAL_API __declspec(dllexport)
#else
#define PHIAL_API __declspec(dllimport)
#endif
#else
#define PHIAL_API __attribute__((visibility("default")))
#endif

#ifdef __cplusplus
extern "C" {
#endif

// ---- Version, errors, memory ----

// "0.1.0". Never freed.
PHIAL_API const char* phial_version(void);

typedef enum phial_code {
  PHIAL_OK = 0,
  PHIAL_INVALID_ARGUMENT = 1,  // the caller asked for something that can't be meant
  PHIAL_NOT_FOUND = 2,         // a file, folder, tensor or key isn't there
  PHIAL_CORRUPT = 3,           // a file breaks its own format
  PHIAL_UNSUPPORTED = 4,       // well formed, but phial can't do it
  PHIAL_IO = 5,                // the operating system refused: full disk, no permission
  PHIAL_OUT_OF_MEMORY = 6,
  PHIAL_CONTEXT_FULL = 7,  // the prompt or the conversation is longer than the context
  PHIAL_CANCELLED = 8,     // an interrupt said stop
  PHIAL_INTERNAL = 9       // a mistake in phial; please report it
} phial_code;

typedef struct phial_error phial_error;  // phial_error_free

PHIAL_API phial_code phial_error_code(const phial_error* error);      // PHIAL_OK for NULL
PHIAL_API const char* phial_error_message(const phial_error* error);  // one sentence; "" for NULL
PHIAL_API void phial_error_free(phial_error* error);

// Releases texts, id lists and JSON documents that were handed out.
PHIAL_API void phial_free(void* memory);

// ---- Tokenizer ----

typedef struct phial_tokenizer phial_tokenizer;  // phial_tokenizer_close

// A folder that holds tokenizer.json: a package, a Hugging Face folder, or one with nothing but
// tokenizer files. PHIAL_NOT_FOUND, PHIAL_CORRUPT, PHIAL_UNSUPPORTED.
PHIAL_API phial_error* phial_tokenizer_open(const char* folder, phial_tokenizer** tokenizer);
PHIAL_API void phial_tokenizer_close(phial_tokenizer* tokenizer);

enum {
  PHIAL_ENCODE_BOS = 1,  // begin with BOS if tokenizer_config.json asks for it (add_bos_token)
  PHIAL_ENCODE_PLAIN_SPECIAL = 2  // special tokens written in the text are ordinary text
};

// Ids of a text; `flags` is a sum of the above. Invalid UTF-8 becomes U+FFFD first.
PHIAL_API phial_error* phial_tokenizer_encode(const phial_tokenizer* tokenizer, const char* text,
                                              size_t length, unsigned flags, int32_t** ids,
                                              size_t* n_ids);

// Text of ids; special tokens are left out unless `keep_special` is not 0. Ids without a token are
// no text; PHIAL_INVALID_ARGUMENT: a negative id. `length` may be NULL.
PHIAL_API phial_error* phial_tokenizer_decode(const phial_tokenizer* tokenizer, const int32_t* ids,
                                              size_t n_ids, int keep_special, char** text,
                                              size_t* length);

// The model's own chat template over `messages_json`, an array of {"role", "content", ...} objects.
// With `add_generation_prompt` the text ends where the assistant begins. PHIAL_NOT_FOUND: the
// folder has no template.
PHIAL_API phial_error* phial_tokenizer_render_chat(const phial_tokenizer* tokenizer,
                                                   const char* messages_json,
                                                   int add_generation_prompt, char** text,
                                                   size_t* length);

// The same as ids, as a model is fed them.
PHIAL_API phial_error* phial_tokenizer_encode_chat(const phial_tokenizer* tokenizer,
                                                   const char* messages_json,
                                                   int add_generation_prompt, int32_t** ids,
                                                   size_t* n_ids);

// Highest id + 1; 0 for NULL.
PHIAL_API int32_t phial_tokenizer_vocab_size(const phial_tokenizer* tokenizer);

// ---- Model ----

typedef enum phial_notice_kind {
  PHIAL_NOTICE_INFO = 0,     // "compiling for the NPU, this happens once"
  PHIAL_NOTICE_WARNING = 1,  // another device than the wanted one, a cache that can't be written
  PHIAL_NOTICE_PROGRESS = 2  // the state of long work: each replaces the one before; "" ends them
} phial_notice_kind;

// A line for the user, not an error. Called on the thread that opens or runs the model.
typedef void (*phial_notice)(void* user, int32_t kind, const char* text);

typedef struct phial_model phial_model;  // phial_model_close

typedef struct phial_model_options {
  size_t size;
  // "auto" (default); "cpu": phial's own engine; "gpu", "npu"; or a device of a plug-in:
  // "openvino:CPU", "openvino:GPU.0", "ort:cpu", "dml", "dml:1", "cuda", ...
  const char* device;
  const char* kv_cache;  // "u8", "i16", "f16", "f32", or NULL (default): the engine's choice
  int32_t context;  // tokens a sequence holds; 0 (default): the model's maximum, which is the limit
  int32_t max_sequences;  // chats and sessions that keep their cache at once; 1
  int32_t threads;        // 0 (default): all that this process may use
  int32_t prefill_chunk;  // tokens taken in one go; 0 (default): the engine's choice
  // 1: if no device that matches `device` can run the model, that is an error; 0 (default): another
  // one is used, and a notice says which and why.
  int32_t require_device;
  // "KEY=VALUE" each, for the runtime behind a plug-in (OpenVINO's properties: "NUM_STREAMS=1");
  // lower-case keys are the plug-in's own. phial's own engine takes none.
  const char* const* settings;
  size_t n_settings;
  phial_notice notice;  // may be NULL; must stay callable until the model is closed
  void* notice_user;
  // What activations may be rounded to where they meet quantized weights: "int8" is fastest,
  // "int16" as good as exact; NULL (default): the engine's choice. phial's own engine then takes
  // int16 where errors count most (the first layers and the lm_head), int8 elsewhere.
  const char* activations;
  // How "auto" chooses: "auto" (also NULL), "fast" or "efficient"; docs/devices.md.
  const char* policy;
  int32_t prompt_tokens;  // about as long as prompts will be; 0 (default): not known
} phial_model_options;

PHIAL_API void phial_model_options_init(phial_model_options* options, size_t size);

// A package that phial wrote, or a Hugging Face folder as published. `options` may be NULL.
// PHIAL_NOT_FOUND, PHIAL_CORRUPT, PHIAL_UNSUPPORTED (an architecture or device that phial can't
// run: the message says which exist), PHIAL_OUT_OF_MEMORY.
PHIAL_API phial_error* phial_model_open(const char* folder, const phial_model_options* options,
                                        phial_model** model);

// Where `folder`'s model would run with these options, which may be NULL, and why; nothing is
// opened. By itself it is about a prompt of 512 tokens (prompt_tokens says otherwise) and an answer
// of 128, or about `context` tokens. JSON: {"model", "folder", "placement": {"wanted", "policy",
// "on_battery", "prompt_tokens", "device", "why", "fallback", "by_measurement", "refused":
// [{"device", "why"}]}, "devices" (all, the chosen one first): [{"device", "kind", "unit", "name",
// "can", "reason", "measured"}], "memory": {"weights", "cache", "cache_per_token", "workspace",
// "tokens", "needed", "available", "total"}, "expected": {"from" ("measurement", "roofline", or
// null: not known), "prompt_rate", "answer_rate", "first_token_seconds", "at_most"}, "roofline"
// (null, or {"read_rate", "decode_rate" in bytes/s, "int8_rate", "prompt_rate" in operations/s,
// "when"})}. With `measure` not 0 the roofline is measured if it isn't known yet, which takes about
// a second.
PHIAL_API phial_error* phial_explain(const char* folder, const phial_model_options* options,
                                     int32_t measure, char** json);

// Keeps what was measured of a package on this computer, for "auto". An array of {"device",
// "prompt_tokens", "prompt_rate", "answer_rate"} (tokens/s).
PHIAL_API phial_error* phial_remember_speed(const char* folder, const char* json);

typedef struct phial_quantize_options {
  size_t size;
  const char* weight_format;  // "fp16", "int8", "int4" (default)
  double ratio;               // int4: share of the parameters with 4 bits, the rest has 8; 1.0
  int32_t group_size;  // int4: weights that share a scale: 32, 64, 128 (default), -1: a whole row
  int32_t symmetric;   // 1, 0, or -1 (default): as usual for the format, int4 symmetric and int8
                       // asymmetric
  int32_t all_layers;  // 1: int4 for embedding and lm_head too; 0 (default): they get 8 bits
  int32_t threads;     // 0 (default): all
  int32_t overwrite;   // 1: replace an existing destination; 0
} phial_quantize_options;

PHIAL_API void phial_quantize_options_init(phial_quantize_options* options, size_t size);

// Random weights in memory, in the layout that `recipe` gives, for benchmarks: no download, no
// disk, no tokenizer. `shape` is a family member's short name ("phi-3-mini", ...); `layers` > 0
// cuts the model. `recipe` and `options` may be NULL.
PHIAL_API phial_error* phial_model_synthetic(const char* shape,
                                             const phial_quantize_options* recipe, int32_t layers,
                                             uint64_t seed, const phial_model_options* options,
                                             phial_model** model);

// Chats, sessions and results must be released first.
PHIAL_API void phial_model_close(phial_model* model);

// JSON: what phial_package_describe says, and "session": {"device", "tier", "fallback", "placement"
// (how the device was chosen, see phial_explain), "threads", "context", "max_sequences",
// "prefill_chunk", "vocab", "weight_bytes", "decode_bytes" (weights read for one token),
// "cache_bytes" (of keys and values that each earlier token in sight adds to that; 0: not known),
// "prompt_operations" (multiplications and additions with weights for one prompt token, the last
// one's logits left out)}.
PHIAL_API phial_error* phial_model_describe(const phial_model* model, char** json);

// What this computer's processor can do at most with `threads` threads, measured now in about 0.1
// s: percentages of it tell more than tokens per second.
typedef struct phial_roofline {
  size_t size;
  int32_t threads;
  double read_bytes_per_second;  // of the fastest loop that reads the model's weights
  double int8_ops_per_second;    // of the kernels' integer products, nothing loaded or stored
} phial_roofline;

// `roofline`->size must be set. `threads` 0: all. PHIAL_INVALID_ARGUMENT.
PHIAL_API phial_error* phial_measure_roofline(const phial_model* model, int32_t threads,
                                              phial_roofline* roofline);

// Borrowed; NULL if the model has none (synthetic).
PHIAL_API const phial_tokenizer* phial_model_tokenizer(const phial_model* model);

// Stops whatever runs on this model now, and what waits for it; the calls return as if an interrupt
// had said stop. Calls that come later are not concerned. May be called from any thread and from a
// signal handler.
PHIAL_API void phial_cancel(phial_model* model);

// JSON facts of a package or Hugging Face folder without loading it for use: name, origin,
// configuration, formats, recipe, sizes.
PHIAL_API phial_error* phial_package_describe(const char* folder, char** json);

// ---- Generation ----

typedef struct phial_generate_params {
  size_t size;
  int32_t max_new_tokens;    // 0 or more; -1 (default): until a stop or the end of the context
  float temperature;         // 0 (default): the likeliest token always
  int32_t top_k;             // 0 (default): off
  float top_p;               // 1 (default): off
  float min_p;               // 0 (default): off
  float repetition_penalty;  // 1 (default): off; over prompt and reply
  float presence_penalty;    // 0 (default): off; over the reply
  float frequency_penalty;   // 0 (default): off; over the reply
  uint64_t seed;             // 0; the same seed gives the same text
  int32_t ignore_eos;        // 1: end-of-text tokens don't stop
  int32_t keep_special;      // 1: special tokens appear in the text
  const char* const* stop;   // texts that end the reply (and aren't part of it); may be NULL
  size_t n_stop;
  // "ngram": tokens that the text's own repetitions suggest are checked several at a time, which
  // gives the same reply, sooner where it quotes or repeats; phial's own engine only, others ignore
  // it. "off" or NULL (default).
  const char* speculate;
} phial_generate_params;

PHIAL_API void phial_generate_params_init(phial_generate_params* params, size_t size);

// Called with each new piece of text, never empty, always whole characters. Not 0: stop.
typedef int (*phial_text_callback)(void* user, const char* text, size_t length);

// Asked now and then, also during long prompts. Not 0: stop.
typedef int (*phial_interrupt)(void* user);

// An interrupt ready-made, for languages whose own functions had better not be asked this often:
// `user` points to an int32_t, and any thread stops the call by making it something else than 0.
PHIAL_API int phial_interrupt_flag(void* user);

typedef struct phial_result phial_result;  // phial_result_free

typedef struct phial_stats {
  size_t size;               // set by the caller before phial_result_stats
  int32_t prompt_tokens;     // of the whole prompt
  int32_t cached_tokens;     // of those, known from earlier turns
  int32_t generated_tokens;  // the stop token included
  int32_t threads;
  double prefill_seconds;      // prompt -> first logits
  double decode_seconds;       // all further steps
  double first_token_seconds;  // call -> first token
  uint64_t peak_rss_bytes;     // of the process, so far
  const char* device;          // "cpu", "openvino:CPU"; lives as long as the result
  const char* tier;            // "avx512vnni"; or what really executes: "OpenVINO 2026.4.1 on CPU"
  int32_t drafted_tokens;      // guessed (speculate) and tried ...
  int32_t accepted_tokens;     // ... and true
  const char* placement;       // why "auto" chose this device; "": there was no choice
} phial_stats;

// Continues a text as it is (no chat template; BOS only if the tokenizer's files ask for it).
// `params`, `on_text` and `interrupt` may be NULL; `user` is given to both callbacks. A stopped
// generation is a success with finish reason "cancelled" and what there was so far, perhaps
// nothing. PHIAL_CONTEXT_FULL: the prompt leaves no room for a token. PHIAL_UNSUPPORTED: the model
// has no tokenizer.
PHIAL_API phial_error* phial_generate(phial_model* model, const char* prompt, size_t length,
                                      const phial_generate_params* params,
                                      phial_text_callback on_text, phial_interrupt interrupt,
                                      void* user, phial_result** result);

// The same from ids.
PHIAL_API phial_error* phial_generate_ids(phial_model* model, const int32_t* ids, size_t n_ids,
                                          const phial_generate_params* params,
                                          phial_text_callback on_text, phial_interrupt interrupt,
                                          void* user, phial_result** result);

// `length` and `n_ids` may be NULL. The ids are those of the text, without the stop token.
PHIAL_API const char* phial_result_text(const phial_result* result, size_t* length);
PHIAL_API const int32_t* phial_result_ids(const phial_result* result, size_t* n_ids);
// "stop", "length" or "cancelled"; and what stopped it: a token (else -1) or a text (else "").
PHIAL_API const char* phial_result_finish_reason(const phial_result* result);
PHIAL_API int32_t phial_result_stop_id(const phial_result* result);
PHIAL_API const char* phial_result_stop_string(const phial_result* result);
PHIAL_API void phial_result_stats(const phial_result* result, phial_stats* stats);
PHIAL_API void phial_result_free(phial_result* result);

// ---- Chat ----

typedef struct phial_chat phial_chat;  // phial_chat_free

// An empty conversation with the model's own template. Earlier turns stay in the model's cache, as
// long as there are not more chats and sessions than max_sequences: then the one unused for longest
// is computed again at its next turn. PHIAL_NOT_FOUND: the model has no template;
// PHIAL_UNSUPPORTED: no tokenizer, or a template beyond phial's means.
PHIAL_API phial_error* phial_chat_new(phial_model* model, phial_chat** chat);
PHIAL_API void phial_chat_free(phial_chat* chat);

// Roles: "system", "user", "assistant", "tool", or what else the template knows.
PHIAL_API phial_error* phial_chat_add(phial_chat* chat, const char* role, const char* content,
                                      size_t length);
PHIAL_API phial_error* phial_chat_set_messages(phial_chat* chat, const char* messages_json);
PHIAL_API phial_error* phial_chat_messages(const phial_chat* chat, char** messages_json);

// Forgets all messages but a leading system message.
PHIAL_API phial_error* phial_chat_clear(phial_chat* chat);

// The assistant's next turn, added to the messages; parameters and errors as phial_generate. A
// cancelled turn is kept as far as it went (one without a token isn't added); on an error the
// messages are as before.
PHIAL_API phial_error* phial_chat_reply(phial_chat* chat, const phial_generate_params* params,
                                        phial_text_callback on_text, phial_interrupt interrupt,
                                        void* user, phial_result** result);

// ---- Session: tokens in, logits out ----

typedef struct phial_session phial_session;  // phial_session_free

// One empty sequence of the model. PHIAL_INVALID_ARGUMENT: max_sequences sessions are open already.
PHIAL_API phial_error* phial_session_new(phial_model* model, phial_session** session);
PHIAL_API void phial_session_free(phial_session* session);

// Appends `n_ids` tokens. `logits`: NULL, or room for [vocab] floats (the last token's), or with
// `all_logits` not 0 for [n_ids, vocab]. PHIAL_CONTEXT_FULL and PHIAL_INVALID_ARGUMENT (an id
// outside the vocabulary) change nothing; PHIAL_CANCELLED too. `interrupt` may be NULL.
PHIAL_API phial_error* phial_session_step(phial_session* session, const int32_t* ids, size_t n_ids,
                                          float* logits, int all_logits, phial_interrupt interrupt,
                                          void* user);

// Forgets all tokens after the first `length`.
// One step of several sessions of one model together: weights are read once for all of them, so
// that eight answers at a time take much less than eight times as long as one. Each session may
// appear once. The arguments of a step are those of phial_session_step.
typedef struct phial_batch_step {
  phial_session* session;
  const int32_t* ids;
  size_t n_ids;
  float* logits;
  int32_t all_logits;
} phial_batch_step;
PHIAL_API phial_error* phial_session_step_batch(const phial_batch_step* steps, size_t n_steps,
                                                phial_interrupt interrupt, void* user);

PHIAL_API phial_error* phial_session_truncate(phial_session* session, int32_t length);
PHIAL_API int32_t phial_session_length(const phial_session* session);
PHIAL_API int32_t phial_session_vocab(const phial_session* session);

// ---- Making packages ----

// `done` and `total` are bytes of the source; `current` names the tensor or phase.
typedef void (*phial_progress)(void* user, uint64_t done, uint64_t total, const char* current);

// Writes the package of a Hugging Face folder. It appears whole or not at all: it is written beside
// `destination` and renamed at the end. PHIAL_INVALID_ARGUMENT: a setting that doesn't fit (a group
// size that doesn't divide a row), or a destination that exists. PHIAL_CANCELLED: `interrupt` said
// stop; nothing is left. `options` and callbacks may be NULL.
PHIAL_API phial_error* phial_quantize(const char* source, const char* destination,
                                      const phial_quantize_options* options,
                                      phial_progress progress, phial_interrupt interrupt,
                                      void* user);

// ---- Models by name ----

// A name is "phi-3-mini", "phi-4:int8" or "owner/name@revision:fp16"; without a tag int4 comes
// before int8 and fp16. The models of this user are packages in PHIAL_MODELS, else in
// phial/models of XDG_DATA_HOME. Any number of processes may use that folder at once.

// JSON: {"folder", "models": [{"name", "folder", "bytes", "changed" (seconds since 1970)}],
// "known":
// [{"name", "repository"}]}.
PHIAL_API phial_error* phial_models_list(char** json);
// The folder that `name` means: itself if there is such a folder, else that of a model.
// PHIAL_NOT_FOUND.
PHIAL_API phial_error* phial_models_find(const char* name, char** folder);
// JSON (may be NULL): the model that is gone. PHIAL_NOT_FOUND, PHIAL_INVALID_ARGUMENT: there are
// several of that name, say which.
PHIAL_API phial_error* phial_models_remove(const char* name, char** json);
// Gives a model another name, or one to a package elsewhere (`from` may be a folder). Weights are
// linked where that is possible. JSON (may be NULL): the model that there is now.
PHIAL_API phial_error* phial_models_copy(const char* from, const char* to, char** json);

typedef struct phial_pull_options {
  size_t size;
  const phial_quantize_options* recipe;  // NULL: the default; a tag of the name comes first
  int32_t connections;                   // 4
  int32_t keep;                          // not 0: the original files too, beside the package
  int32_t offline;  // not 0, or HF_HUB_OFFLINE=1: PHIAL_UNSUPPORTED rather than a connection
} phial_pull_options;

PHIAL_API void phial_pull_options_init(phial_pull_options* options, size_t size);

// Downloads a model from a Hugging Face compatible hub (HF_ENDPOINT, HF_TOKEN, HF_HOME, proxies of
// the environment) and quantizes it while it comes, unless it is there already. What has come is
// kept when this ends early, and the next call goes on. `progress` and `interrupt` are called on
// any thread, one at a time; `current` begins with "downloading" or "quantizing", and `done` of a
// download counts what an earlier call brought. JSON (may be NULL): {"name", "folder", "bytes",
// "changed", "was_there"}. PHIAL_NOT_FOUND: no such repository; PHIAL_UNSUPPORTED: terms to accept,
// or not a Phi-3; PHIAL_IO: network or disk; PHIAL_CORRUPT: a checksum is wrong; PHIAL_CANCELLED.
PHIAL_API phial_error* phial_pull(const char* name, const phial_pull_options* options,
                                  phial_progress progress, phial_interrupt interrupt, void* user,
                                  char** json);

// ---- Packages for other runtimes ----

// Makes, or makes anew, the files with which other runtimes open a package: `to` is "openvino",
// "ort-genai" (ONNX Runtime GenAI on the CPU), "ort-genai:cuda" or "ort-genai:dml". What
// phial_quantize makes already: for a package of an older phial, one that lost them, or a
// genai_config.json that names another execution provider. The weights file grows only by small
// constants that it lacks; a package whose export was interrupted opens as before.
// PHIAL_UNSUPPORTED: `package` is a Hugging Face folder, or the runtime can't run its weights.
// `json` may be NULL; else the files: [{"file", "bytes"}].
PHIAL_API phial_error* phial_export(const char* package, const char* to, char** json);

// Ahead of time: what a device that takes long to compile for will run, into the new folder
// `destination`; a model is opened on it with the setting "static-models=FOLDER". The device
// ("npu", "openvino:NPU", ...; "auto" or NULL options: the NPU) needn't be in this computer, but
// the runtime's compiler for it must be. Settings: "npu-platform=4000", "npu-prompt=N" (tokens of
// one prefill), "npu-response=N" (tokens after a longest prompt). With graphs_only not 0 no runtime
// is needed: prefill.xml and generate.xml are written, OpenVINO graphs of static shape over the
// package's own weights file. PHIAL_UNSUPPORTED: no compiler, with the runtime's words.
PHIAL_API phial_error* phial_compile(const char* package, const char* destination,
                                     const phial_model_options* options, int32_t graphs_only);

// A Hugging Face folder with random weights, for tests and benchmarks. `shape`: a family member's
// short name, or the text of a config.json (it begins with '{'). `layers` > 0 cuts the model.
// `dtype`: "bf16" (also NULL), "f16", "f32". `tokenizer_from`: a folder whose tokenizer files are
// copied, or NULL.
PHIAL_API phial_error* phial_make_random(const char* shape, int32_t layers, uint64_t seed,
                                         const char* dtype, const char* tokenizer_from,
                                         const char* destination);

#ifdef __cplusplus
}  // extern "C"
#endif

#include <phial/phial_computer.h>

#endif  // PHIAL_PHIAL_H_
