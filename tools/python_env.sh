#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A virtual environment in .venv with the small Python packages that some tests compare against (the Hugging Face tokenizers
# library, Jinja2, NumPy). The big oracles (PyTorch, transformers, NNCF) made the committed golden files and aren't needed here.
set -euo pipefail
cd "$(dirname "$0")/.."
stamp=.venv/phial-requirements
if ! cmp -s tools/test_requirements.txt "$stamp"; then
  /usr/bin/python3 -m venv .venv || python3 -m venv .venv
  .venv/bin/python -m pip install -q --disable-pip-version-check -r tools/test_requirements.txt
  cp tools/test_requirements.txt "$stamp"
fi
