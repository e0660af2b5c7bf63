// SPDX-License-Identifier: Apache-2.0
// The plug-in's side of phial/backend_abi.h for plug-ins that are written against phial's own
// layers: a Backend becomes a table of C functions. Every exception ends here, and every text that
// is handed out is kept until the thread's next call.
//
// An `Engine` has kName and static functions over what the user set:
//   std::vector<Device> devices(settings, quick)
//   Verdict judge(settings, const Package&, const std::string& device)
//   std::unique_ptr<Session> open(settings, std::shared_ptr<const Package>,
//                                 const std::string& device, const SessionOptions&)
//   void compile(settings, const Package&, const std::string& device,
//                const std::string& destination, const Notice&)                       (if it can)
// where settings are a const std::vector<std::string>&.
#pragma once

#include <phial/backend_abi.h>

#include <memory>
#include <new>
#include <string>
#include <vector>

#include "backend/backend.h"
#include "base/error.h"

struct phial_plugin_session {
  std::unique_ptr<phial::Session> session;
  std::string device;
  mutable std::string tier;
  phial_notice notice = nullptr;
  void* notice_user = nullptr;
};

namespace phial {

template <class Engine>
class PluginTable {
 public:
  static const phial_plugin* table() {
    static constexpr phial_plugin kTable = {PHIAL_PLUGIN_ABI,
                                            sizeof(phial_plugin),
                                            Engine::kName,
                                            PHIAL_VERSION,
                                            &devices,
                                            &accepts,
                                            &open,
                                            &close,
                                            &limits,
                                            &step,
                                            &truncate,
                                            &release,
                                            &length,
                                            &device,
                                            &tier,
                                            compile_function()};
    return &kTable;
  }

 private:
  // What this thread was told last.
  struct Told {
    std::string message, reason;
    std::vector<Device> devices;
    std::vector<phial_plugin_device> list;
  };
  static Told& told() {
    thread_local Told told;
    return told;
  }

  template <class Body>
  static phial_code guarded(const char** message, Body&& body) noexcept {
    phial_code code = PHIAL_INTERNAL;
    try {
      try {
        body();
        return PHIAL_OK;
      } catch (const Error& error) {
        code = static_cast<phial_code>(error.code());
        told().message = error.what();
      } catch (const std::bad_alloc&) {
        code = PHIAL_OUT_OF_MEMORY;
        told().message = "out of memory";
      } catch (const std::exception& error) {
        told().message = error.what();
      } catch (...) {
        told().message = "an unknown exception";
      }
    } catch (...) {  // no memory for the message
      if (message) *message = "out of memory";
      return PHIAL_OUT_OF_MEMORY;
    }
    if (message) *message = told().message.c_str();
    return code;
  }

  static std::vector<std::string> texts(const phial_plugin_settings* settings) {
    std::vector<std::string> result;
    if (settings)
      for (size_t i = 0; i < settings->count; ++i) result.emplace_back(settings->text[i]);
    return result;
  }

  using CompileFunction = decltype(phial_plugin::compile);
  static constexpr CompileFunction compile_function() {
    if constexpr (requires { &Engine::compile; })
      return [](const char* folder, const char* device, const char* destination,
                const phial_plugin_open_options* given, const char** message) {
        return guarded(message, [&] {
          Notice notice;
          if (given->notice)
            notice = [given](NoticeKind kind, const std::string& text) {
              given->notice(given->notice_user, static_cast<int32_t>(kind), text.c_str());
            };
          Engine::compile(texts(&given->settings), *Package::open(folder), device, destination,
                          notice);
        });
      };
    else
      return nullptr;
  }

  static phial_code devices(const phial_plugin_settings* settings, int32_t quick,
                            const phial_plugin_device** list, size_t* count, const char** message) {
    return guarded(message, [&] {
      Told& t = told();
      t.devices = Engine::devices(texts(settings), quick != 0);
      t.list.clear();
      for (const Device& device : t.devices)
        t.list.push_back({device.id.c_str(), device.kind.c_str(), device.description.c_str(),
                          device.why_not.c_str()});
      *list = t.list.data();
      *count = t.list.size();
    });
  }

  static phial_code accepts(const phial_plugin_settings* settings, const char* folder,
                            const char* device, int32_t* rank, const char** reason,
                            const char** message) {
    return guarded(message, [&] {
      const Verdict verdict = Engine::judge(texts(settings), *Package::open(folder), device);
      told().reason = verdict.reason;
      *rank = verdict.rank;
      *reason = told().reason.c_str();
    });
  }

  static phial_code open(const char* folder, const char* device,
                         const phial_plugin_open_options* given, phial_plugin_session** session,
                         const char** message) {
    return guarded(message, [&] {
      auto handle = std::make_unique<phial_plugin_session>();
      SessionOptions options;
      options.context = given->context;
      options.max_sequences = given->max_sequences;
      options.threads = given->threads;
      options.prefill_chunk = given->prefill_chunk;
      options.kv_cache = given->kv_cache ? given->kv_cache : "";
      if (given->size > offsetof(phial_plugin_open_options, activations) && given->activations)
        options.activations = given->activations;
      handle->notice = given->notice;
      handle->notice_user = given->notice_user;
      if (given->notice)
        options.notice = [raw = handle.get()](NoticeKind kind, const std::string& text) {
          raw->notice(raw->notice_user, static_cast<int32_t>(kind), text.c_str());
        };
      handle->session =
          Engine::open(texts(&given->settings), Package::open(folder), device, options);
      handle->device = handle->session->device();
      *session = handle.release();
    });
  }

  static void close(phial_plugin_session* session) { delete session; }

  static void limits(const phial_plugin_session* session, phial_plugin_limits* limits) {
    const Limits all = session->session->limits();
    limits->vocab = all.vocab;
    limits->max_context = all.max_context;
    limits->max_sequences = all.max_sequences;
    limits->prefill_chunk = all.prefill_chunk;
    limits->cheap_truncate = all.cheap_truncate;
  }

  static phial_code step(phial_plugin_session* session, const phial_plugin_step* steps,
                         size_t count, phial_interrupt interrupt, void* user,
                         const char** message) {
    return guarded(message, [&] {
      std::vector<Step> batch;
      for (size_t i = 0; i < count; ++i)
        batch.push_back({steps[i].sequence,
                         {steps[i].tokens, steps[i].n_tokens},
                         steps[i].logits,
                         steps[i].all_logits != 0});
      session->session->step(
          batch, interrupt ? Interrupt([=] { return interrupt(user) != 0; }) : Interrupt());
    });
  }

  static void truncate(phial_plugin_session* session, int32_t sequence, int32_t length) {
    session->session->truncate(sequence, length);
  }
  static void release(phial_plugin_session* session, int32_t sequence) {
    session->session->release(sequence);
  }
  static int32_t length(const phial_plugin_session* session, int32_t sequence) {
    return session->session->length(sequence);
  }
  static const char* device(const phial_plugin_session* session) { return session->device.c_str(); }
  static const char* tier(const phial_plugin_session* session) {
    guarded(nullptr, [&] { session->tier = session->session->tier(); });
    return session->tier.c_str();
  }
};

}  // namespace phial
