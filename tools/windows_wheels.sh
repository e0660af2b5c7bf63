#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Unpacks the Windows wheels of tools/windows_requirements.txt into build/windows-wheels/FOLDER, for tests/windows.
set -euo pipefail
cd "$(dirname "$0")/.."
place=build/windows-wheels
stamp=$place/requirements
cmp -s tools/windows_requirements.txt "$stamp" && exit 0
rm -rf "$place"
mkdir -p "$place"
python=.venv/bin/python
[ -x "$python" ] || python=python3
for folder in $(grep -v '^#' tools/windows_requirements.txt | cut -d' ' -f1 | sort -u); do
  mapfile -t packages < <(sed -n "s/^$folder //p" tools/windows_requirements.txt)
  "$python" -m pip install -q --disable-pip-version-check --no-deps --no-compile --only-binary=:all: --platform win_amd64 \
    --python-version 311 --target "$place/$folder" "${packages[@]}"
done
cp tools/windows_requirements.txt "$stamp"
