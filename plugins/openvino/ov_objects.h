// SPDX-License-Identifier: Apache-2.0
// OpenVINO's objects with an owner, and its failures as phial::Error. Thin: what the calls mean is
// OpenVINO's documentation's business.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "ov_api.h"

namespace phial::ov {

// Key and value; OpenVINO reads values from text.
using Properties = std::vector<std::pair<std::string, std::string>>;

// The first line of OpenVINO's last message on this thread, without the source positions that it
// puts in front.
std::string last_message(const Api& api);
// The sentence of interest in such a message.
std::string clean_message(const std::string& message);

// Throws kUnsupported: "what: OpenVINO's words".
[[noreturn]] void fail(const Api& api, const std::string& what);
inline void check(const Api& api, Status status, const char* what) {
  if (status != kOk) fail(api, what);
}

template <class T>
using Owner = std::unique_ptr<T, void (*)(T*)>;

class Tensor {
 public:
  // Memory of OpenVINO's own.
  Tensor(const Api& api, Element element, std::vector<int64_t> shape);
  // A view; `data` must outlive it. OpenVINO doesn't write to a tensor of weights.
  Tensor(const Api& api, Element element, std::vector<int64_t> shape, const void* data);
  Tensor(const Api& api, CTensor* owned) : api_(&api), handle_(owned, api.ov_tensor_free) {}

  CTensor* get() const { return handle_.get(); }
  void* data() const;
  size_t elements() const;
  int type() const;

 private:
  const Api* api_;
  Owner<CTensor> handle_;
};

class Request {
 public:
  Request(const Api& api, CRequest* owned)
      : api_(&api), handle_(owned, api.ov_infer_request_free) {}
  void set(const char* name, const Tensor& tensor);
  Tensor get(const char* name) const;
  CRequest* handle() const { return handle_.get(); }

 private:
  const Api* api_;
  Owner<CRequest> handle_;
};

class Compiled {
 public:
  Compiled(const Api& api, CCompiled* owned)
      : api_(&api), handle_(owned, api.ov_compiled_model_free) {}
  std::unique_ptr<Request> request() const;
  std::string property(const char* key) const;  // empty: OpenVINO doesn't say
  void export_to(const fs::path& file) const;

 private:
  const Api* api_;
  Owner<CCompiled> handle_;
};

class Core {
 public:
  explicit Core(const Api& api);
  std::vector<std::string> available_devices() const;
  std::string property(const std::string& device, const char* key) const;  // empty: unknown
  void set(const std::string& device, const std::string& key, const std::string& value);

  // `weights` must outlive what is compiled from the model.
  Owner<CModel> read(const std::string& xml, const Tensor& weights) const;
  std::unique_ptr<Compiled> compile(const CModel* model, const std::string& device,
                                    const Properties& properties) const;
  // null: OpenVINO won't have it; `why` is what it said.
  std::unique_ptr<Compiled> import(std::span<const std::byte> blob, const std::string& device,
                                   std::string& why) const;

  const Api& api() const { return *api_; }

 private:
  const Api* api_;
  Owner<CCore> handle_;
};

}  // namespace phial::ov
