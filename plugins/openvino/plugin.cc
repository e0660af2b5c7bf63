// SPDX-License-Identifier: Apache-2.0
// The plug-in's table (phial/backend_abi.h): every exception ends here, and every text that is
// handed out is kept until the thread's next call.
#include <phial/backend_abi.h>

#include <algorithm>
#include <new>

#include "devices.h"
#include "ov_library.h"
#include "session.h"
#include "static_session.h"

struct phial_plugin_session {
  std::unique_ptr<phial::Session> session;
  std::string device;
  mutable std::string tier;
  phial_notice notice = nullptr;
  void* notice_user = nullptr;
};

namespace {

using phial::Code;
using phial::Error;

// What this thread was told last.
struct Told {
  std::string message, reason;
  std::vector<phial::Device> devices;
  std::vector<phial_plugin_device> list;
};
thread_local Told told;

template <class Body>
phial_code guarded(const char** message, Body&& body) noexcept {
  phial_code code = PHIAL_INTERNAL;
  try {
    try {
      body();
      return PHIAL_OK;
    } catch (const Error& error) {
      code = static_cast<phial_code>(error.code());
      told.message = error.what();
    } catch (const std::bad_alloc&) {
      code = PHIAL_OUT_OF_MEMORY;
      told.message = "out of memory";
    } catch (const std::exception& error) {
      told.message = error.what();
    } catch (...) {
      told.message = "an unknown exception";
    }
  } catch (...) {  // no memory for the message
    code = PHIAL_OUT_OF_MEMORY;
    if (message) *message = "out of memory";
    return code;
  }
  if (message) *message = told.message.c_str();
  return code;
}

phial::ov::Settings to_settings(const phial_plugin_settings* settings) {
  std::vector<std::string> texts;
  if (settings)
    for (size_t i = 0; i < settings->count; ++i) texts.emplace_back(settings->text[i]);
  return phial::ov::parse_settings(texts);
}

phial_code devices(const phial_plugin_settings* settings, int32_t quick,
                   const phial_plugin_device** list, size_t* count, const char** message) {
  return guarded(message, [&] {
    told.devices = phial::ov::list_devices(to_settings(settings), quick != 0);
    told.list.clear();
    for (const phial::Device& device : told.devices)
      told.list.push_back({device.id.c_str(), device.kind.c_str(), device.description.c_str(),
                           device.why_not.c_str()});
    *list = told.list.data();
    *count = told.list.size();
  });
}

phial_code accepts(const phial_plugin_settings* settings, const char* folder, const char* device,
                   int32_t* rank, const char** reason, const char** message) {
  return guarded(message, [&] {
    const auto package = phial::Package::open(folder);
    const phial::Verdict verdict = phial::ov::judge(to_settings(settings), *package, device);
    told.reason = verdict.reason;
    *rank = verdict.rank;
    *reason = told.reason.c_str();
  });
}

phial_code open(const char* folder, const char* device, const phial_plugin_open_options* given,
                phial_plugin_session** session, const char** message) {
  return guarded(message, [&] {
    auto handle = std::make_unique<phial_plugin_session>();
    phial::SessionOptions options;
    options.context = given->context;
    options.max_sequences = given->max_sequences;
    options.threads = given->threads;
    options.prefill_chunk = given->prefill_chunk;
    options.kv_cache = given->kv_cache ? given->kv_cache : "";
    handle->notice = given->notice;
    handle->notice_user = given->notice_user;
    if (given->notice)
      options.notice = [raw = handle.get()](phial::NoticeKind kind, const std::string& text) {
        raw->notice(raw->notice_user, static_cast<int32_t>(kind), text.c_str());
      };
    const phial::ov::Settings settings = to_settings(&given->settings);
    const phial::ov::Api& api = phial::ov::openvino(settings.library);
    const auto package = phial::Package::open(folder);
    const phial::ov::Target target = phial::ov::to_target(device);
    if (settings.static_models.empty())
      handle->session =
          std::make_unique<phial::ov::OpenVinoSession>(api, package, target, options, settings);
    else
      handle->session =
          std::make_unique<phial::ov::StaticSession>(api, package, target, options, settings);
    handle->device = handle->session->device();
    *session = handle.release();
  });
}

void close(phial_plugin_session* session) { delete session; }

void limits(const phial_plugin_session* session, phial_plugin_limits* limits) {
  const phial::Limits all = session->session->limits();
  limits->vocab = all.vocab;
  limits->max_context = all.max_context;
  limits->max_sequences = all.max_sequences;
  limits->prefill_chunk = all.prefill_chunk;
  limits->cheap_truncate = all.cheap_truncate;
}

phial_code step(phial_plugin_session* session, const phial_plugin_step* steps, size_t count,
                phial_interrupt interrupt, void* user, const char** message) {
  return guarded(message, [&] {
    std::vector<phial::Step> batch;
    for (size_t i = 0; i < count; ++i)
      batch.push_back({steps[i].sequence,
                       {steps[i].tokens, steps[i].n_tokens},
                       steps[i].logits,
                       steps[i].all_logits != 0});
    session->session->step(batch, interrupt ? phial::Interrupt([=] { return interrupt(user) != 0; })
                                            : phial::Interrupt());
  });
}

void truncate(phial_plugin_session* session, int32_t sequence, int32_t length) {
  session->session->truncate(sequence, length);
}

void release(phial_plugin_session* session, int32_t sequence) {
  session->session->release(sequence);
}

int32_t length(const phial_plugin_session* session, int32_t sequence) {
  return session->session->length(sequence);
}

const char* device(const phial_plugin_session* session) { return session->device.c_str(); }

const char* tier(const phial_plugin_session* session) {
  guarded(nullptr, [&] { session->tier = session->session->tier(); });
  return session->tier.c_str();
}

phial_code compile(const char* folder, const char* device, const char* destination,
                   const phial_plugin_open_options* given, const char** message) {
  return guarded(message, [&] {
    phial::Notice notice;
    if (given->notice)
      notice = [given](phial::NoticeKind kind, const std::string& text) {
        given->notice(given->notice_user, static_cast<int32_t>(kind), text.c_str());
      };
    const phial::ov::Settings settings = to_settings(&given->settings);
    phial::ov::compile_static(phial::ov::openvino(settings.library), *phial::Package::open(folder),
                              phial::ov::to_target(device), settings, destination, notice);
  });
}

constexpr phial_plugin kTable = {
    PHIAL_PLUGIN_ABI,
    sizeof(phial_plugin),
    "openvino",
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
    &compile,
};

}  // namespace

extern "C" PHIAL_PLUGIN_EXPORT const phial_plugin* phial_backend_plugin(
    uint32_t /*host_abi: we know one version only*/) {
  return &kTable;
}
