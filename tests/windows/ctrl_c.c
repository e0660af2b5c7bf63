/* SPDX-License-Identifier: Apache-2.0
 * Runs a program with pipes and presses Ctrl-C when the first byte of its output is there. For wine_test.py.
 *
 *   ctrl_c.exe COMMAND LINE
 *
 * Passes the output on; the exit code is the program's, 99: this can't be done here. */
#define _WIN32_WINNT 0x0A00
#include <stdio.h>
#include <wchar.h>
#include <windows.h>

static BOOL WINAPI stay(DWORD event) {
  (void)event;
  return TRUE;
}

static int fail(const char* what) {
  fprintf(stderr, "skipped: %s: error %lu\n", what, GetLastError());
  return 99;
}

int wmain(int argc, wchar_t** argv) {
  SECURITY_ATTRIBUTES inherit = {sizeof inherit, NULL, TRUE};
  STARTUPINFOW info = {0};
  PROCESS_INFORMATION child;
  HANDLE out = GetStdHandle(STD_OUTPUT_HANDLE), reader, writer;
  wchar_t command[8192] = L"";
  char buffer[4096];
  DWORD n, written, code = 98;
  int i, sent = 0;
  for (i = 1; i < argc; ++i) {
    wcscat(command, L"\"");
    wcscat(command, argv[i]);
    wcscat(command, L"\" ");
  }
  FreeConsole();
  if (!AllocConsole()) return fail("no console");
  SetConsoleCtrlHandler(stay, TRUE);
  if (!CreatePipe(&reader, &writer, &inherit, 0)) return fail("no pipe");
  SetHandleInformation(reader, HANDLE_FLAG_INHERIT, 0);
  info.cb = sizeof info;
  info.dwFlags = STARTF_USESTDHANDLES;
  info.hStdInput = INVALID_HANDLE_VALUE;
  info.hStdOutput = info.hStdError = writer;
  if (!CreateProcessW(NULL, command, NULL, NULL, TRUE, 0, NULL, NULL, &info, &child))
    return fail("the program can't be started");
  CloseHandle(writer);
  while (ReadFile(reader, buffer, sizeof buffer, &n, NULL) && n > 0) {
    WriteFile(out, buffer, n, &written, NULL);
    if (!sent++ && !GenerateConsoleCtrlEvent(CTRL_C_EVENT, 0)) return fail("no Ctrl-C");
  }
  if (WaitForSingleObject(child.hProcess, 120000) != WAIT_OBJECT_0) TerminateProcess(child.hProcess, 97);
  GetExitCodeProcess(child.hProcess, &code);
  return (int)code;
}
