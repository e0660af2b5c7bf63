// SPDX-License-Identifier: Apache-2.0
#include "objects.h"

#include <algorithm>
#include <atomic>
#include <cctype>
#include <cstdlib>
#include <cstring>
#include <mutex>

#include "base/json.h"
#include "tensor/half.h"

namespace phial::ort {
namespace {

// GenAI's globals must go before those of the libraries that it uses, which the end of the process
// orders otherwise; but not under a model that is still there.
std::atomic<int> models{0};
void (*shutdown_function)() = nullptr;

void shut_down() {
  if (models == 0) shutdown_function();
}

void shut_down_at_exit(const OgaApi& api) {
  static std::once_flag once;
  std::call_once(once, [&] {
    shutdown_function = api.OgaShutdown;
    std::atexit(&shut_down);
  });
}

std::string lower(std::string text) {
  for (char& c : text) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return text;
}

struct Known {
  const char* words;  // in lower case
  Code code;
  const char* remedy;
};

// Of several that fit the first. Collected from GenAI 0.9 to 0.18 and ONNX Runtime 1.24 to 1.31.
constexpr Known kKnown[] = {
    {"not been built with dml", Code::kUnsupported,
     "this ONNX Runtime GenAI was built without DirectML: on Windows, pip install "
     "onnxruntime-genai-directml instead"},
    {"cuda interface not available", Code::kUnsupported,
     "this ONNX Runtime GenAI was built without CUDA, or a library of CUDA is missing: pip install "
     "onnxruntime-genai-cuda onnxruntime-gpu instead, and CUDA 12 or newer with cuDNN 9"},
    {"onnxruntime_providers_cuda.", Code::kUnsupported,
     "this ONNX Runtime was built without CUDA, or a library of CUDA is missing: pip install "
     "onnxruntime-gpu instead, and CUDA 12 or newer with cuDNN 9"},
    {"out of memory", Code::kOutOfMemory, ""},
    {"failed to allocate memory", Code::kOutOfMemory, ""},
    {"bad allocation", Code::kOutOfMemory, ""},
    {"bad_alloc", Code::kOutOfMemory, ""},
    {"8007000e", Code::kOutOfMemory, ""},
    {"not enough memory", Code::kOutOfMemory, ""},
    {"available memory of", Code::kOutOfMemory, ""},
    {"887a0005", Code::kUnsupported,
     "the driver has given the GPU up: a newer driver, --prefill-chunk 128, or --device cpu may "
     "help"},
    {"887a0006", Code::kUnsupported,
     "the GPU took too long for one piece of work: --prefill-chunk 64, a newer driver, or --device "
     "cpu may help"},
    {"directml.dll not found", Code::kUnsupported,
     "ONNX Runtime has no DirectML.dll beside it: pip install onnxruntime-directml "
     "onnxruntime-genai-directml instead"},
    {"partitioned to the dmlexecutionprovider", Code::kUnsupported,
     "the GPU or its driver can't do a part of the graph, such as 16-bit floats: a newer driver, "
     "or "
     "--device cpu may help"},
    {"887a0004", Code::kUnsupported, "no GPU here speaks DirectX 12"},
    {"no cuda-capable device", Code::kUnsupported,
     "no NVIDIA GPU is seen: its driver isn't loaded or there is none"},
    {"cuda driver version is insufficient", Code::kUnsupported,
     "the NVIDIA driver is older than this CUDA needs: install a newer one"},
    {"unknown value \"", Code::kUnsupported,
     "genai_config.json was written for another version of ONNX Runtime GenAI: make it anew with "
     "'phial export FOLDER --to ort-genai --ep cpu' (or dml, cuda), or install the version that it "
     "was written for"},
    {"unsupported model ir version", Code::kUnsupported,
     "model.onnx is for a newer ONNX Runtime: pip install -U onnxruntime onnxruntime-genai"},
    {"under development", Code::kUnsupported,
     "model.onnx is for a newer ONNX Runtime: pip install -U onnxruntime onnxruntime-genai"},
    {"protobuf parsing failed", Code::kCorrupt,
     "model.onnx is damaged: make it anew with 'phial export FOLDER --to ort-genai --ep cpu' (or "
     "dml, cuda)"},
};

constexpr const char* kMemoryRemedy =
    "the cache of keys and values takes room for every token of --context: a smaller one, or "
    "--device cpu, may help";

}  // namespace

Explained explain(const std::string& message) {
  std::string text = message;
  for (char& c : text)
    if (c == '\n' || c == '\r') c = ' ';
  while (!text.empty() && (text.back() == ' ' || text.back() == '.')) text.pop_back();
  const std::string small = lower(text);
  for (const Known& known : kKnown) {
    if (small.find(known.words) == std::string::npos) continue;
    const std::string remedy = known.code == Code::kOutOfMemory ? kMemoryRemedy : known.remedy;
    return {known.code, fmt::format("{} (ONNX Runtime says: {})", remedy, text)};
  }
  return {Code::kUnsupported, fmt::format("ONNX Runtime says: {}", text)};
}

void check(const OgaApi& api, OgaResult* result, const std::string& what) {
  if (!result) return;
  const char* text = api.OgaResultGetError(result);
  const std::string message = text ? text : "nothing";
  api.OgaDestroyResult(result);
  const Explained explained = explain(message);
  throw_error(explained.code, "{}: {}", what, explained.text);
}

LogitRows::LogitRows(const OgaApi& api, OgaTensor* owned, int32_t vocab)
    : handle_(owned, api.OgaDestroyTensor), vocab_(static_cast<size_t>(vocab)) {
  constexpr const char* kWhat = "the logits can't be read";
  int32_t type = 0;
  size_t rank = 0;
  check(api, api.OgaTensorGetType(owned, &type), kWhat);
  check(api, api.OgaTensorGetShapeRank(owned, &rank), kWhat);
  std::vector<int64_t> shape(rank);
  check(api, api.OgaTensorGetShape(owned, shape.data(), rank), kWhat);
  void* data = nullptr;
  check(api, api.OgaTensorGetData(owned, &data), kWhat);
  if (rank < 2 || shape.back() != vocab || (type != kElementF32 && type != kElementF16) || !data)
    throw_error(
        Code::kCorrupt,
        "model.onnx gives logits of {} values of element type {}, expected {} of type {} or "
        "{}: it doesn't belong to this package",
        rank ? shape.back() : 0, type, vocab, kElementF32, kElementF16);
  rows_ = 1;
  for (size_t i = 0; i + 1 < rank; ++i) rows_ *= static_cast<size_t>(shape[i]);
  data_ = data;
  half_ = type == kElementF16;
}

void LogitRows::copy(size_t row, float* to) const {
  PHIAL_ASSERT(row < rows_);
  if (half_) {
    const auto* from = static_cast<const uint16_t*>(data_) + row * vocab_;
    std::transform(from, from + vocab_, to, [](uint16_t h) { return f16_to_f32(h); });
  } else {
    std::memcpy(to, static_cast<const float*>(data_) + row * vocab_, vocab_ * sizeof(float));
  }
}

namespace {

const char* name_in_genai(Provider provider) { return provider == Provider::kDml ? "DML" : "cuda"; }

// A number as a number: genai_config.json is strict about types.
Json session_value(const std::string& value) {
  const Json parsed = Json::parse(value, nullptr, false);
  return parsed.is_discarded() ? Json(value) : parsed;
}

void put_options(const OgaApi& api, OgaConfig* config, const Graph& graph, const Target& target,
                 const Settings& settings, int32_t threads) {
  check(api, api.OgaConfigClearProviders(config), "the providers can't be chosen");
  if (target.provider != Provider::kCpu) {
    const char* provider = name_in_genai(target.provider);
    const std::string what = fmt::format("the provider {} can't be chosen", provider);
    check(api, api.OgaConfigAppendProvider(config, provider), what);
    if (target.index)
      check(api,
            api.OgaConfigSetProviderOption(
                config, provider, target.provider == Provider::kDml ? "device_index" : "device_id",
                std::to_string(*target.index).c_str()),
            what);
    for (const auto& [key, value] : settings.provider_options)
      check(api, api.OgaConfigSetProviderOption(config, provider, key.c_str(), value.c_str()),
            fmt::format("--ort-config {}={}", key, value));
  } else if (!settings.provider_options.empty()) {
    throw_error(Code::kInvalidArgument,
                "--ort-config {}: ONNX Runtime's CPU provider has no options; session.KEY=VALUE "
                "sets one of the session",
                settings.provider_options[0].first);
  }
  Json session = Json::object();
  if (threads) session["intra_op_num_threads"] = threads;
  for (const auto& [key, value] : settings.session_options) session[key] = session_value(value);
  Json decoder = {{"filename", graph.file}};
  if (!session.empty()) decoder["session_options"] = session;
  const Json overlay = {{"model", {{"context_length", graph.context}, {"decoder", decoder}}}};
  check(api, api.OgaConfigOverlay(config, overlay.dump().c_str()),
        fmt::format("the settings {} can't be made", overlay.dump()));
}

}  // namespace

Model::Model(const OgaApi& api, const Graph& graph, const Target& target, const Settings& settings,
             int32_t threads)
    : api_(api), handle_(nullptr, api.OgaDestroyModel) {
  shut_down_at_exit(api);
  OgaConfig* config = nullptr;
  check(api, api.OgaCreateConfig(graph.folder.c_str(), &config),
        fmt::format("{}/genai_config.json can't be read", graph.folder));
  const Owner<OgaConfig> owned_config(config, api.OgaDestroyConfig);
  put_options(api, config, graph, target, settings, threads);
  OgaModel* model = nullptr;
  check(api, api.OgaCreateModelFromConfig(config, &model),
        fmt::format("{}/{} can't be opened on {}", graph.folder, graph.file, target.device));
  handle_.reset(model);
  ++models;
  const char* device = nullptr;
  if (OgaResult* result = api.OgaModelGetDeviceType(model, &device)) {
    api.OgaDestroyResult(result);
  } else if (device) {
    executes_on_ = device;
    api.OgaDestroyString(device);
  }
}

Model::~Model() {
  handle_.reset();
  --models;
}

Generator::Generator(const Model& model, int32_t room)
    : api_(model.api()), handle_(nullptr, model.api().OgaDestroyGenerator) {
  constexpr const char* kWhat = "a sequence can't be begun";
  OgaGeneratorParams* params = nullptr;
  check(api_, api_.OgaCreateGeneratorParams(model.get(), &params), kWhat);
  const Owner<OgaGeneratorParams> owned(params, api_.OgaDestroyGeneratorParams);
  check(api_, api_.OgaGeneratorParamsSetSearchNumber(params, "max_length", room), kWhat);
  check(api_, api_.OgaGeneratorParamsSetSearchBool(params, "do_sample", false), kWhat);
  OgaGenerator* generator = nullptr;
  check(api_, api_.OgaCreateGenerator(model.get(), params, &generator),
        fmt::format("a sequence of {} tokens can't be begun", room));
  handle_.reset(generator);
}

void Generator::rewind(int32_t length) {
  if (length == length_) return;
  check(api_, api_.OgaGenerator_RewindTo(handle_.get(), static_cast<size_t>(length)),
        fmt::format("going back from {} to {} tokens failed", length_, length));
  length_ = length;
}

void Generator::append(std::span<const TokenId> tokens) {
  check(api_, api_.OgaGenerator_AppendTokens(handle_.get(), tokens.data(), tokens.size()),
        fmt::format("computing {} tokens after {} failed", tokens.size(), length_));
  length_ += static_cast<int32_t>(tokens.size());
}

void Generator::choose(TokenId token, int32_t vocab) {
  constexpr float kLikely = 1.0f, kUnlikely = -1.0f;
  const std::string what = fmt::format("computing a token after {} failed", length_);
  one_hot_.assign(static_cast<size_t>(vocab), kUnlikely);
  one_hot_[static_cast<size_t>(token)] = kLikely;
  const int64_t shape[2] = {1, vocab};
  OgaTensor* tensor = nullptr;
  check(api_, api_.OgaCreateTensorFromBuffer(one_hot_.data(), shape, 2, kElementF32, &tensor),
        what);
  const Owner<OgaTensor> owned(tensor, api_.OgaDestroyTensor);
  check(api_, api_.OgaGenerator_SetLogits(handle_.get(), tensor), what);
  check(api_, api_.OgaGenerator_GenerateNextToken(handle_.get()), what);
  OgaTensor* logits = nullptr;  // asking for them is what computes the token
  check(api_, api_.OgaGenerator_GetLogits(handle_.get(), &logits), what);
  api_.OgaDestroyTensor(logits);
  ++length_;
}

LogitRows Generator::last_logits(int32_t vocab) {
  OgaTensor* tensor = nullptr;
  check(api_, api_.OgaGenerator_GetLogits(handle_.get(), &tensor), "the logits can't be read");
  return LogitRows(api_, tensor, vocab);
}

// Not OgaGenerator_GetLogits: where the last token of a run is the padding token (<|endoftext|> of
// Phi-3) it gives the row of the one before (GenAI 0.18).
LogitRows Generator::logits(int32_t vocab) const {
  OgaTensor* tensor = nullptr;
  check(api_, api_.OgaGenerator_GetOutput(handle_.get(), "logits", &tensor),
        "the logits can't be read");
  return LogitRows(api_, tensor, vocab);
}

}  // namespace phial::ort
