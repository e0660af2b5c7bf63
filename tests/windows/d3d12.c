/* SPDX-License-Identifier: Apache-2.0
 * The function of d3d12.dll that wine 8 lacks and without which ONNX Runtime GenAI for DirectML ends the process: it says
 * that there is no newer Direct3D beside the system's. For runtimes.py. */
#include <windows.h>

__declspec(dllexport) HRESULT WINAPI D3D12GetInterface(const void* class_id, const void* interface_id, void** result) {
  (void)class_id;
  (void)interface_id;
  if (result) *result = NULL;
  return E_NOTIMPL;
}
