// SPDX-License-Identifier: Apache-2.0
// Stands for NVIDIA's management library on the PC of trees/nvidia-desktop.txt. The figures are
// made up after the card's data sheet; nvmlDeviceGetPowerUsage fails with FAKE_NO_POWER, as it does
// on cards that can't tell.
#include <string.h>

typedef struct {
  unsigned long long total, free, used;
} memory_info;
typedef struct {
  unsigned gpu, memory;
} utilization;
typedef struct {
  char legacy_id[16];
  unsigned domain, bus, device, device_id, subsystem_id;
  char bus_id[32];
} pci_info;

int nvmlInit_v2(void) { return 0; }
int nvmlSystemGetDriverVersion(char* text, unsigned length) {
  strncpy(text, "580.95.05", length);
  return 0;
}
int nvmlDeviceGetCount_v2(unsigned* count) {
  *count = 1;
  return 0;
}
int nvmlDeviceGetHandleByIndex_v2(unsigned index, void** device) {
  static int only;
  *device = &only;
  return index == 0 ? 0 : 2;
}
int nvmlDeviceGetName(void* device, char* name, unsigned length) {
  (void)device;
  strncpy(name, "NVIDIA GeForce RTX 4070", length);
  return 0;
}
int nvmlDeviceGetPciInfo_v3(void* device, pci_info* info) {
  (void)device;
  memset(info, 0, sizeof *info);
  strcpy(info->bus_id, "00000000:01:00.0");
  return 0;
}
int nvmlDeviceGetMemoryInfo(void* device, memory_info* info) {
  (void)device;
  info->total = 12878610432ull;
  info->used = 2147483648ull;
  info->free = info->total - info->used;
  return 0;
}
int nvmlDeviceGetUtilizationRates(void* device, utilization* busy) {
  (void)device;
  busy->gpu = 87;
  busy->memory = 60;
  return 0;
}
int nvmlDeviceGetPowerUsage(void* device, unsigned* milliwatts) {
  (void)device;
#ifdef FAKE_NO_POWER
  (void)milliwatts;
  return 3;
#else
  *milliwatts = 143500;
  return 0;
#endif
}
int nvmlDeviceGetClockInfo(void* device, unsigned type, unsigned* mhz) {
  (void)device;
  *mhz = type == 0 ? 2475 : 0;
  return 0;
}
int nvmlDeviceGetMaxClockInfo(void* device, unsigned type, unsigned* mhz) {
  (void)device;
  *mhz = type == 0 ? 3105 : 0;
  return 0;
}
