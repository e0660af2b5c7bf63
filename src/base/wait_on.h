// SPDX-License-Identifier: Apache-2.0
// Sleeping until an atomic changes. std::atomic's own wait is the system's futex on Linux; in
// libstdc++ 12 on Windows it isn't one, and a pool's workers were seen to sleep for ever.
#pragma once

#include <atomic>

#if defined(_WIN32)
#include "base/windows_api.h"
#endif

namespace phial {

// Returns when `value` isn't `old` any more, or for no reason.
template <class T>
void wait_on(std::atomic<T>& value, T old) {
#if defined(_WIN32)
  WaitOnAddress(&value, &old, sizeof old, INFINITE);
#else
  value.wait(old, std::memory_order_acquire);
#endif
}

// Wakes all who wait. To be called after the change.
template <class T>
void wake_all(std::atomic<T>& value) {
#if defined(_WIN32)
  WakeByAddressAll(&value);
#else
  value.notify_all();
#endif
}

}  // namespace phial
