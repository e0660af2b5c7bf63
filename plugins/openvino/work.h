// SPDX-License-Identifier: Apache-2.0
// Long work that can't tell how far it is: it runs on a thread of its own while this one says how
// long it has taken so far.
#pragma once

#include <chrono>
#include <future>
#include <string>

#include "backend/backend.h"

namespace phial::ov {

template <class Result, class Body>
Result with_progress(const Notice& notice, const std::string& what, Body&& body) {
  if (!notice) return body();
  const auto start = std::chrono::steady_clock::now();
  std::future<Result> result = std::async(std::launch::async, std::forward<Body>(body));
  bool shown = false;
  while (result.wait_for(std::chrono::seconds(1)) != std::future_status::ready) {
    const auto seconds =
        std::chrono::duration_cast<std::chrono::seconds>(std::chrono::steady_clock::now() - start);
    notice(NoticeKind::kProgress, fmt::format("{}: {} s", what, seconds.count()));
    shown = true;
  }
  if (shown) notice(NoticeKind::kProgress, "");
  return result.get();
}

}  // namespace phial::ov
