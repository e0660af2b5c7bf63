#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# All tests in one command: installs what is missing, builds, runs everything, and ends with ctest's own closing lines.
# usage: ./test.sh [--quick | --all]
#   --quick: without the fuzzers; --all: with the whole suite under ASan and UBSan first (preset dev), which takes twice as long
set -euo pipefail
cd "$(dirname "$0")"
case "${1:-}" in
  "" | --quick | --all) mode=${1:-} ;;
  *) echo "usage: ./test.sh [--quick | --all]" >&2; exit 2 ;;
esac

mapfile -t packages < <(grep -v '^#' tools/build_packages.txt tools/test_packages.txt -h)
tools/install_packages.sh "${packages[@]}"
mapfile -t packages < <(grep -v '^#' tools/optional_packages.txt)
tools/install_packages.sh "${packages[@]}" || echo "The compilers for other systems, or what runs their programs, couldn't be installed: these tests will be reported as skipped." >&2
tools/python_env.sh || echo "Python packages for the oracles couldn't be installed: their tests will be reported as skipped." >&2
tools/windows_wheels.sh || echo "Libraries for Windows couldn't be had: the tests of plug-ins with them will be reported as skipped." >&2

if [ "$mode" = "--all" ]; then
  echo "== Address and undefined-behaviour sanitizers (preset dev)"
  cmake --preset dev >/dev/null
  cmake --build --preset dev
  ctest --preset dev --label-exclude 'slow|release-only' --parallel 2 --verbose | tools/ctest_report.py
fi
if [ "$mode" != "--quick" ]; then
  echo "== Fuzzers (preset fuzz)"
  tools/fuzz_all.sh "${PHIAL_FUZZ_SECONDS:-10}"
fi

echo "== Release"
cmake --preset release >/dev/null
cmake --build --preset release
ctest --preset release --parallel 2 --verbose | tools/ctest_report.py
