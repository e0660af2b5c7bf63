// SPDX-License-Identifier: Apache-2.0
// In place of the hub where phial is built without libcurl: pulling says so, the rest works.
#include "base/error.h"
#include "models/pull.h"

namespace phial {

Hub Hub::of_environment() { return {}; }

Pulled pull(const ModelStore& store, const Hub&, const ModelName& name, const PullOptions&) {
  if (auto found = store.find(name)) return {*found, true};
  throw_error(
      Code::kUnsupported,
      "{}: this phial was built without downloads; get the files by other means and quantize "
      "them with 'phial quantize', then 'phial cp' gives the package a name",
      name.text());
}

}  // namespace phial
