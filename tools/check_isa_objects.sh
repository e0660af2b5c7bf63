#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Checks objects that were built with instruction-set flags: one exported table each, and nothing that the linker could
# share with code for the baseline (a weak template instance compiled with AVX-512 would become everybody's).
#
# usage: check_isa_objects.sh OBJECT...
[ $# -gt 0 ] || { echo "check_isa_objects.sh: no object given" >&2; exit 2; }
for object in "$@"; do
  symbols=$(nm "$object") || exit 2
  if echo "$symbols" | grep ' [WVu] '; then
    echo "$object: weak symbols (above): baseline code could be linked to them" >&2
    exit 1
  fi
  exported=$(echo "$symbols" | grep -c ' [TDRB] ')
  if [ "$exported" != 1 ]; then
    echo "$symbols" | grep ' [TDRB] '
    echo "$object: $exported exported symbols (above), expected 1, the tier's table" >&2
    exit 1
  fi
done
