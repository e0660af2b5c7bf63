// SPDX-License-Identifier: Apache-2.0
// What `phial bench --devices` measured, remembered in the user's cache folder: for a package on a
// device with the versions of that day. What doesn't match any more is as if it weren't there.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "backend/placement.h"
#include "base/json.h"
#include "package/package.h"

namespace phial::api {

struct Measurement {
  std::string package;  // package_key()
  std::string name;     // for people
  std::string device;
  std::string engine;  // its description, with versions
  int32_t prompt_tokens = 0;
  Measured rates;
  int64_t when = 0;  // seconds since 1970
};

// Of what is in the folder: another package in the same place has another key. Empty for weights in
// memory.
std::string package_key(const Package& package);

// The cache folder of this user: PHIAL_CACHE, else base's; empty if there is none.
fs::path user_cache();

class MeasuredStore {
 public:
  explicit MeasuredStore(fs::path file) : file_(std::move(file)) {}
  static MeasuredStore of_user();

  // All of a package that this phial on this processor measured. A damaged file is an empty one.
  std::vector<Measurement> of(const Package& package) const;
  // In place of what there was of the same package and devices. Throws kIo.
  void remember(const std::vector<Measurement>& measurements) const;

 private:
  fs::path file_;
};

}  // namespace phial::api
