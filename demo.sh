#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The main job in one command: installs what is missing, builds phial, quantises the bundled demo model to INT4 and lets it
# answer. usage: ./demo.sh [WORDS...]      (without words: "Can you introduce yourself?")
set -euo pipefail
cd "$(dirname "$0")"

mapfile -t packages < <(grep -v '^#' tools/build_packages.txt)
tools/install_packages.sh "${packages[@]}"

if [ ! -f build/release/build.ninja ]; then
  echo "Configuring (once) ..." >&2
  cmake --preset release >build-configure.log 2>&1 || { cat build-configure.log >&2; exit 1; }
  rm -f build-configure.log
fi
log=build/release/demo-build.log
[ -x build/release/bin/phial ] || echo "Building (once, a few minutes) ..." >&2
cmake --build build/release --target phial_cli phial_plugin_openvino phial_plugin_onnxruntime >"$log" 2>&1 || { tail -n 40 "$log" >&2; exit 1; }

phial=build/release/bin/phial
model=models/phial-demo
package=build/demo/phial-demo-int4
# Quantise again if the checkpoint or the program is newer than the package.
if [ ! -f "$package/phial.json" ] || [ "$model/model.safetensors" -nt "$package/phial.json" ] \
  || [ build/release/lib/libphial.so -nt "$package/phial.json" ]; then
  "$phial" quantize "$model" "$package" --weight-format int4 --group-size 128 --sym --overwrite
fi

"$phial" run "$package" "${*:-Can you introduce yourself?}"

cat >&2 <<'END'

For a real Phi-3: put the files of microsoft/Phi-3-mini-4k-instruct in a folder PHI3, then
  build/release/bin/phial quantize PHI3 phi3-int4 --weight-format int4 && build/release/bin/phial chat phi3-int4
END
