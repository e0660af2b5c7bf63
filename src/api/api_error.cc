// SPDX-License-Identifier: Apache-2.0
// Errors, memory and version of the C interface: every exception ends here.
#include <cstdlib>
#include <filesystem>
#include <new>

#include "api/handles.h"
#include "base/cpu_info.h"

namespace phial::api {

namespace {

// Reported when not even an error can be allocated; never freed.
phial_error* out_of_memory() noexcept {
  static phial_error error{PHIAL_OUT_OF_MEMORY,
                           "out of memory"};  // the text fits std::string's own buffer
  return &error;
}

phial_error* make_error(phial_code code, const char* message) noexcept {
  try {
    return new phial_error{code, message};
  } catch (...) {
    return out_of_memory();
  }
}

}  // namespace

phial_error* current_error() noexcept {
  try {
    throw;
  } catch (const Error& e) {
    return make_error(static_cast<phial_code>(e.code()), e.what());
  } catch (const std::bad_alloc&) {
    return out_of_memory();
  } catch (const std::length_error& e) {
    return make_error(PHIAL_OUT_OF_MEMORY,
                      "out of memory: more was asked for than can be addressed");
  } catch (const std::filesystem::filesystem_error& e) {
    return make_error(PHIAL_IO, e.what());
  } catch (const std::exception& e) {
    return make_error(PHIAL_INTERNAL, e.what());
  } catch (...) {
    return make_error(PHIAL_INTERNAL, "unknown exception");
  }
}

void need(const void* pointer, const char* name) {
  if (!pointer) throw_error(Code::kInvalidArgument, "argument '{}' is NULL", name);
}

char* copy_text(std::string_view text) {
  auto* copy = static_cast<char*>(std::malloc(text.size() + 1));
  if (!copy) throw std::bad_alloc();
  if (!text.empty()) std::memcpy(copy, text.data(), text.size());
  copy[text.size()] = '\0';
  return copy;
}

int32_t* copy_ids(const std::vector<int32_t>& ids) {
  auto* copy = static_cast<int32_t*>(std::malloc(ids.size() * sizeof(int32_t) + 1));
  if (!copy) throw std::bad_alloc();
  if (!ids.empty()) std::memcpy(copy, ids.data(), ids.size() * sizeof(int32_t));
  return copy;
}

}  // namespace phial::api

static_assert(PHIAL_INVALID_ARGUMENT == int(phial::Code::kInvalidArgument) &&
                  PHIAL_INTERNAL == int(phial::Code::kInternal),
              "phial_code mirrors phial::Code");

extern "C" {

const char* phial_version(void) { return PHIAL_VERSION; }

phial_code phial_error_code(const phial_error* error) { return error ? error->code : PHIAL_OK; }

const char* phial_error_message(const phial_error* error) {
  return error ? error->message.c_str() : "";
}

void phial_error_free(phial_error* error) {
  if (error != phial::api::out_of_memory()) delete error;
}

void phial_free(void* memory) { std::free(memory); }

uint64_t phial_peak_rss_bytes(void) { return phial::peak_rss_bytes(); }

}  // extern "C"
