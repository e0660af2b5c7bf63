// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <bit>
#include <cstring>
#include <thread>

#include "base/cpu_info.h"
#include "base/windows_api.h"
// after windows.h
#include <psapi.h>

#if defined(__x86_64__)
#include <cpuid.h>
#endif

namespace phial {

std::string cpu_name() {
#if defined(__x86_64__)
  unsigned words[12];
  for (unsigned i = 0; i < 3; ++i)
    if (!__get_cpuid(0x80000002u + i, &words[4 * i], &words[4 * i + 1], &words[4 * i + 2],
                     &words[4 * i + 3]))
      return "unknown";
  char text[sizeof words + 1] = {};
  std::memcpy(text, words, sizeof words);
  const std::string name = text;
  const size_t begin = name.find_first_not_of(' ');
  if (begin != std::string::npos) return name.substr(begin, name.find_last_not_of(' ') + 1 - begin);
#endif
  return "unknown";
}

bool tile_data_allowed() {
  // Windows 11 and Server 2022 have the function; older ones don't save tiles. Windows would also
  // switch them on at their first use, but here it can say no.
  static const bool allowed = [] {
    using Enable = BOOL(WINAPI*)(DWORD64);
    const HMODULE kernel = GetModuleHandleW(L"kernel32.dll");
    const auto enable = reinterpret_cast<Enable>(
        reinterpret_cast<void*>(GetProcAddress(kernel, "EnableProcessOptionalXStateFeatures")));
    return enable && enable(DWORD64{1} << 18);  // XSTATE_AMX_TILE_DATA
  }();
  return allowed;
}

int available_threads() {
  DWORD_PTR ours = 0, all = 0;
  if (GetProcessAffinityMask(GetCurrentProcess(), &ours, &all) && ours)
    return std::popcount(static_cast<uint64_t>(ours));
  return static_cast<int>(std::max(1u, std::thread::hardware_concurrency()));
}

uint64_t physical_memory_bytes() {
  MEMORYSTATUSEX status = {};
  status.dwLength = sizeof status;
  return GlobalMemoryStatusEx(&status) ? status.ullTotalPhys : 0;
}

uint64_t peak_rss_bytes() {
  PROCESS_MEMORY_COUNTERS counters = {};
  return K32GetProcessMemoryInfo(GetCurrentProcess(), &counters, sizeof counters)
             ? counters.PeakWorkingSetSize
             : 0;
}

}  // namespace phial
