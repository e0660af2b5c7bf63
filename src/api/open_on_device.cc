// SPDX-License-Identifier: Apache-2.0
// Opening a model on the device that was asked for.
#include "api/activity.h"
#include "api/choose.h"
#include "api/handles.h"
#include "backend/plugin_host.h"
#include "base/cpu_info.h"
#include "native/kv_cache.h"

using phial::Code;
using phial::throw_error;
namespace api = phial::api;

namespace {

void check_range(const char* name, int32_t value, int32_t least) {
  if (value < least)
    throw_error(Code::kInvalidArgument, "{} is {}, expected at least {}", name, value, least);
}

// What was said to a runtime that doesn't run now. Lower-case keys may come from the environment,
// for the case that the plug-in runs.
void warn_of_settings(const phial::SessionOptions& options) {
  if (!options.notice) return;
  for (const std::string& setting : options.settings) {
    if (setting[0] >= 'a' && setting[0] <= 'z' && !setting.starts_with("static-models=")) continue;
    options.notice(phial::NoticeKind::kWarning,
                   fmt::format("'{}' has no effect: phial's own engine runs the model, which takes "
                               "no settings of a plug-in",
                               setting));
    return;
  }
}

// Settings for the runtime itself. If it doesn't like them, the user wants to know that, not
// another device.
bool sets_the_runtime(const phial::SessionOptions& options) {
  for (const std::string& setting : options.settings)
    if (setting[0] < 'a' || setting[0] > 'z' || setting.starts_with("static-models=") ||
        setting.starts_with("onnxruntime.provider.") || setting.starts_with("onnxruntime.session."))
      return true;
  return false;
}

// Some things about a device show only when it is used: its driver lacks the compiler, its memory
// is full, it is gone.
bool may_try_another(const phial::Error& error, const phial::SessionOptions& options) {
  return (error.code() == Code::kUnsupported || error.code() == Code::kOutOfMemory) &&
         !sets_the_runtime(options);
}

}  // namespace

phial::SessionOptions api::to_session_options(const phial_model_options& options) {
  check_range("context", options.context, 0);
  check_range("max_sequences", options.max_sequences, 1);
  check_range("threads", options.threads, 0);
  check_range("prefill_chunk", options.prefill_chunk, 0);
  phial::SessionOptions result;
  result.context = options.context;
  result.max_sequences = options.max_sequences;
  result.threads = options.threads;
  result.prefill_chunk = options.prefill_chunk;
  if (options.kv_cache) result.kv_cache = options.kv_cache;
  if (!result.kv_cache.empty() && !kv_type_of(result.kv_cache))
    throw_error(Code::kInvalidArgument,
                "KV cache precision '{}' is unknown, expected u8, i16, f16 or f32",
                result.kv_cache);
  if (options.activations) result.activations = options.activations;
  if (!result.activations.empty() && result.activations != "int8" && result.activations != "int16")
    throw_error(Code::kInvalidArgument,
                "activation precision '{}' is unknown, expected int8 or int16", result.activations);
  if (options.n_settings) api::need(options.settings, "settings");
  for (size_t i = 0; i < options.n_settings; ++i) {
    api::need(options.settings[i], "settings[]");
    const std::string setting = options.settings[i];
    const size_t equals = setting.find('=');
    if (equals == 0 || equals == std::string::npos)
      throw_error(Code::kInvalidArgument, "setting '{}' isn't of the form KEY=VALUE", setting);
    result.settings.push_back(setting);
  }
  if (options.notice) {
    result.notice = [notice = options.notice, user = options.notice_user](phial::NoticeKind kind,
                                                                          const std::string& text) {
      notice(user, static_cast<int32_t>(kind), text.c_str());
    };
  }
  return result;
}

std::unique_ptr<phial_model> api::open_on_device(std::shared_ptr<const Package> package,
                                                 const phial_model_options& options) {
  const SessionOptions session_options = to_session_options(options);
  const std::string wanted = full_device_name(options.device ? options.device : "auto");
  const Backends backends = make_backends(wanted, session_options.settings);
  Choosing choosing(backends, *package, options, session_options);
  const Notice& notice = session_options.notice;
  for (;;) {
    const Placement placement = choosing.place();
    const Backend& backend = choosing.backend(placement.chosen);
    const std::string device = choosing.candidates()[placement.chosen].verdict.device;
    if (!placement.fallback.empty() && notice)
      notice(NoticeKind::kWarning,
             fmt::format("'{}' can't be used, {} runs it instead: {}", wanted, device,
                         placement.fallback.substr(0, placement.fallback.find('\n'))));
    if (&backend == backends.front().get()) warn_of_settings(session_options);

    auto model = std::make_unique<phial_model>();
    try {
      model->session = backend.open(package, device, session_options);
    } catch (const Error& error) {
      if (options.require_device || &backend == backends.front().get() ||
          !may_try_another(error, session_options))
        throw;
      choosing.refuse(placement.chosen, error.what());
      if (wanted == "auto" && notice)
        notice(NoticeKind::kWarning, fmt::format("{} can't be used: {}", device, error.what()));
      continue;
    }
    model->threads = options.threads > 0 ? options.threads : available_threads();
    model->session = published(
        std::move(model->session),
        {package->folder().empty() ? "synthetic weights" : package->name(), model->threads});
    model->package = std::move(package);
    model->fallback = placement.fallback;
    model->placement = to_json(choosing, placement);
    if (wanted == "auto" && choosing.candidates().size() > 1) model->why = placement.why;
    return model;
  }
}
