#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Builds the libFuzzer targets and runs each for a short while from its seeds. usage: fuzz_all.sh [SECONDS_EACH]
set -euo pipefail
cd "$(dirname "$0")/.."
shopt -s nullglob
seconds=${1:-10}
cmake --preset fuzz >/dev/null
cmake --build --preset fuzz --target fuzzers
for target in build/fuzz/fuzz/fuzz_*; do
  name=${target##*/fuzz_}
  corpus=build/fuzz/corpus/$name
  mkdir -p "$corpus"
  echo "-- $name: $seconds s"
  "$target" "$corpus" "fuzz/corpus/$name" -max_total_time="$seconds" -timeout=20 -rss_limit_mb=2048 -max_len=65536 \
    -artifact_prefix="build/fuzz/crash-$name-" -print_final_stats=1 >"build/fuzz/$name.log" 2>&1 \
    || { tail -n 40 "build/fuzz/$name.log"; echo "fuzzer $name failed"; exit 1; }
  grep -E 'stat::number_of_executed_units' "build/fuzz/$name.log"
done
