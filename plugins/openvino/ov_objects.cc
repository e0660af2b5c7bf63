// SPDX-License-Identifier: Apache-2.0
#include "ov_objects.h"

#include <utility>

namespace phial::ov {
namespace {

// More pairs than anybody gives: what isn't named by the count isn't read.
constexpr size_t kMostProperties = 32;

template <class Call, size_t... I>
Status spread(Call&& call, const char* const* texts, std::index_sequence<I...>) {
  return call(texts[I]...);
}

// Calls a function that takes "..." with this many texts at run time.
template <class Call>
Status with_properties(const Properties& properties, Call&& call) {
  if (properties.size() > kMostProperties)
    throw_error(Code::kInvalidArgument, "{} OpenVINO properties are given, at most {} are possible",
                properties.size(), kMostProperties);
  const char* texts[2 * kMostProperties] = {};
  size_t n = 0;
  for (const auto& [key, value] : properties) {
    texts[n++] = key.c_str();
    texts[n++] = value.c_str();
  }
  return spread(std::forward<Call>(call), texts, std::make_index_sequence<2 * kMostProperties>());
}

// "Exception from src/inference/src/cpp/core.cpp:112:" and "Check 'x' failed at y.cpp:5:" say
// nothing to the user; the former comes within lines too.
bool is_position(std::string_view line) { return line.empty() || line.starts_with("Check '"); }

void drop_exception_positions(std::string& line) {
  constexpr std::string_view kBegin = "Exception from ";
  for (size_t at; (at = line.find(kBegin)) != std::string::npos;) {
    size_t end = line.find(".cpp:", at);
    if (end == std::string::npos) return;
    end = line.find(':', end + 5);
    line.erase(at, end == std::string::npos ? end : end + 1 - at);
  }
}

}  // namespace

std::string clean_message(const std::string& message) {
  std::string result;
  size_t begin = 0;
  while (begin < message.size()) {
    const size_t end = std::min(message.find('\n', begin), message.size());
    std::string line = message.substr(begin, end - begin);
    begin = end + 1;
    drop_exception_positions(line);
    while (!line.empty() && (line.back() == ' ' || line.back() == '.' || line.back() == '\r'))
      line.pop_back();
    line.erase(0, std::min(line.find_first_not_of(' '), line.size()));
    if (is_position(line)) continue;
    result += (result.empty() ? "" : "; ") + line;
  }
  return result.empty() ? message : result;
}

std::string last_message(const Api& api) {
  const char* text = api.ov_get_last_err_msg();
  const std::string message = text ? clean_message(text) : "";
  if (text) api.ov_free(text);
  return message.empty() ? "no reason is given" : message;
}

void fail(const Api& api, const std::string& what) {
  throw_error(Code::kUnsupported, "{}: OpenVINO says: {}", what, last_message(api));
}

Tensor::Tensor(const Api& api, Element element, std::vector<int64_t> shape)
    : api_(&api), handle_(nullptr, api.ov_tensor_free) {
  CTensor* tensor = nullptr;
  check(api,
        api.ov_tensor_create(api.type(element), {static_cast<int64_t>(shape.size()), shape.data()},
                             &tensor),
        "a tensor can't be made");
  handle_.reset(tensor);
}

Tensor::Tensor(const Api& api, Element element, std::vector<int64_t> shape, const void* data)
    : api_(&api), handle_(nullptr, api.ov_tensor_free) {
  CTensor* tensor = nullptr;
  check(api,
        api.ov_tensor_create_from_host_ptr(api.type(element),
                                           {static_cast<int64_t>(shape.size()), shape.data()},
                                           const_cast<void*>(data), &tensor),
        "a tensor can't be made");
  handle_.reset(tensor);
}

void* Tensor::data() const {
  void* data = nullptr;
  check(*api_, api_->ov_tensor_data(get(), &data), "a tensor can't be read");
  return data;
}

size_t Tensor::elements() const {
  size_t n = 0;
  check(*api_, api_->ov_tensor_get_size(get(), &n), "a tensor can't be read");
  return n;
}

int Tensor::type() const {
  int type = 0;
  check(*api_, api_->ov_tensor_get_element_type(get(), &type), "a tensor can't be read");
  return type;
}

void Request::set(const char* name, const Tensor& tensor) {
  check(*api_, api_->ov_infer_request_set_tensor(handle(), name, tensor.get()), name);
}

Tensor Request::get(const char* name) const {
  CTensor* tensor = nullptr;
  check(*api_, api_->ov_infer_request_get_tensor(handle(), name, &tensor), name);
  return Tensor(*api_, tensor);
}

std::unique_ptr<Request> Compiled::request() const {
  CRequest* request = nullptr;
  check(*api_, api_->ov_compiled_model_create_infer_request(handle_.get(), &request),
        "an infer request can't be made");
  return std::make_unique<Request>(*api_, request);
}

std::string Compiled::property(const char* key) const {
  char* value = nullptr;
  if (api_->ov_compiled_model_get_property(handle_.get(), key, &value) != kOk) return {};
  const std::string text = value ? value : "";
  if (value) api_->ov_free(value);
  return text;
}

void Compiled::export_to(const fs::path& file) const {
  check(*api_, api_->ov_compiled_model_export_model(handle_.get(), file.string().c_str()),
        "the compiled model can't be exported");
}

Core::Core(const Api& api) : api_(&api), handle_(nullptr, api.ov_core_free) {
  CCore* core = nullptr;
  check(api, api.ov_core_create(&core), "OpenVINO doesn't start");
  handle_.reset(core);
}

std::vector<std::string> Core::available_devices() const {
  CDevices devices = {};
  check(*api_, api_->ov_core_get_available_devices(handle_.get(), &devices),
        "OpenVINO doesn't list its devices");
  std::vector<std::string> names(devices.names, devices.names + devices.count);
  api_->ov_available_devices_free(&devices);
  return names;
}

std::string Core::property(const std::string& device, const char* key) const {
  char* value = nullptr;
  if (api_->ov_core_get_property(handle_.get(), device.c_str(), key, &value) != kOk) return {};
  const std::string text = value ? value : "";
  if (value) api_->ov_free(value);
  return text;
}

void Core::set(const std::string& device, const std::string& key, const std::string& value) {
  if (api_->ov_core_set_property(handle_.get(), device.c_str(), key.c_str(), value.c_str()) != kOk)
    fail(*api_, fmt::format("the property {}={} of {}", key, value, device));
}

Owner<CModel> Core::read(const std::string& xml, const Tensor& weights) const {
  CModel* model = nullptr;
  check(*api_,
        api_->ov_core_read_model_from_memory_buffer(handle_.get(), xml.c_str(), xml.size(),
                                                    weights.get(), &model),
        "the graph can't be read");
  return {model, api_->ov_model_free};
}

std::unique_ptr<Compiled> Core::compile(const CModel* model, const std::string& device,
                                        const Properties& properties) const {
  CCompiled* compiled = nullptr;
  const Status status = with_properties(properties, [&](auto... texts) {
    return api_->ov_core_compile_model(handle_.get(), model, device.c_str(), 2 * properties.size(),
                                       &compiled, texts...);
  });
  if (status != kOk) fail(*api_, fmt::format("the model can't be compiled for {}", device));
  return std::make_unique<Compiled>(*api_, compiled);
}

std::unique_ptr<Compiled> Core::import(std::span<const std::byte> blob, const std::string& device,
                                       std::string& why) const {
  CCompiled* compiled = nullptr;
  if (api_->ov_core_import_model(handle_.get(), reinterpret_cast<const char*>(blob.data()),
                                 blob.size(), device.c_str(), &compiled) != kOk) {
    why = last_message(*api_);
    return nullptr;
  }
  return std::make_unique<Compiled>(*api_, compiled);
}

}  // namespace phial::ov
