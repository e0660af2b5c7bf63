// SPDX-License-Identifier: Apache-2.0
// The part of phial's C interface that is about this computer: its devices, what is wrong with
// them, how busy they are, and what is kept for them on disk. The rules are those of phial.h, which
// includes this file.
#ifndef PHIAL_PHIAL_COMPUTER_H_
#define PHIAL_PHIAL_COMPUTER_H_

#include <phial/phial.h>

#ifdef __cplusplus
extern "C" {
#endif

// JSON: {"version", "cpu", "threads", "memory_bytes", "tier" (kernels in use, or null and
// "tier_error"), "tiers": [{"name", "built", "runs_here", "why_not"}], "devices" (of the engines):
// [{"id", "kind" ("cpu", "gpu", "npu"), "description", "usable", "why_not"}], "machine" (what the
// system tells of processors, memory, GPUs, NPUs, power; null: it doesn't), "units" (those
// processors): [{"id", "kind", "name", "usable", "why_not", "remedy", "engines": [{"device",
// "usable", "why_not"}]}]}. Plug-ins and the runtimes behind them are loaded for it. The
// environment variable PHIAL_MACHINE_ROOT names another machine's files (docs/devices.md).
PHIAL_API phial_error* phial_devices(char** json);

// Checks the whole chain that a model needs: processor, runtimes, drivers, permissions, memory,
// disk. JSON: {"healthy", "checks": [{"id", "title", "state" ("ok", "note", "problem"), "found",
// "expected", "remedy"}], "next": [what to do, the most important first]}. A problem is something
// that this computer has and that can't be used, or that keeps phial from working.
PHIAL_API phial_error* phial_doctor(char** json);

// How busy this computer is. The first sample has no rates, each later one those since the one
// before; what the system doesn't tell is null. JSON: {"cpu" (its name), "seconds", "cpu_percent",
// "core_percent", "core_mhz", "memory_total", "memory_available", "package_watts", "battery_watts",
// "on_battery", "devices": [{"id", "kind", "name", "busy_percent", "mhz", "max_mhz", "watts",
// "memory_used", "memory_bytes"}], "processes" (see phial_processes), "tokens_per_second",
// "tokens_per_joule"}.
typedef struct phial_sampler phial_sampler;  // phial_sampler_free; for one thread at a time
PHIAL_API phial_error* phial_sampler_new(phial_sampler** sampler);
PHIAL_API phial_error* phial_sampler_take(phial_sampler* sampler, char** json);
PHIAL_API void phial_sampler_free(phial_sampler* sampler);

// The models that this user's programs have open now, as phial has them tell it: an array of
// {"pid", "program", "model", "device", "tier", "context", "threads", "started", "updated" (seconds
// since 1970), "state" ("idle", "prompt", "answer"), "prompt_tokens", "answer_tokens" (so far),
// "prompt_rate", "answer_rate" (tokens/s lately; null: none yet)}. PHIAL_PUBLISH=0 keeps a
// program's out of it.
PHIAL_API phial_error* phial_processes(char** json);

// The largest resident set of this process so far in bytes; 0 if unknown.
PHIAL_API uint64_t phial_peak_rss_bytes(void);

// Models compiled for devices that take long to compile for are kept on disk. JSON: {"folder",
// "entries": [{"key", "what", "bytes", "unused_seconds", "sound"}]}, last used first.
PHIAL_API phial_error* phial_cache_list(char** json);
// Removes them all; `bytes` (may be NULL) is what they took.
PHIAL_API phial_error* phial_cache_clear(uint64_t* bytes);

#ifdef __cplusplus
}  // extern "C"
#endif

#endif  // PHIAL_PHIAL_COMPUTER_H_
