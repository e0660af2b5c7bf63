/* SPDX-License-Identifier: Apache-2.0
 * The one function of bcryptprimitives.dll that ONNX Runtime GenAI asks for. Windows has it since 8, wine 8 hasn't.
 * For runtimes.py. */
#include <windows.h>

BOOLEAN NTAPI SystemFunction036(PVOID to, ULONG size); /* advapi32: RtlGenRandom */

__declspec(dllexport) BOOL WINAPI ProcessPrng(PBYTE to, SIZE_T size) {
  while (size > 0) {
    const ULONG n = size < 0x10000000 ? (ULONG)size : 0x10000000;
    if (!SystemFunction036(to, n)) return FALSE;
    to += n;
    size -= n;
  }
  return TRUE;
}
