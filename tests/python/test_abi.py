# SPDX-License-Identifier: Apache-2.0
"""The structs of the ctypes layer beside those of phial.h: the same fields in the same order."""
from __future__ import annotations

import ctypes as c
import re

import pytest

import phial
from phial import _structs
from phial._library import library

from conftest import SOURCE

TYPES = {"size_t": c.c_size_t, "int32_t": c.c_int32, "uint64_t": c.c_uint64, "float": c.c_float, "double": c.c_double,
         "const char*": c.c_char_p}


@pytest.mark.parametrize("name, struct", [("model_options", _structs.ModelOptions), ("quantize_options", _structs.QuantizeOptions),
                                          ("pull_options", _structs.PullOptions), ("generate_params", _structs.GenerateParams),
                                          ("stats", _structs.Stats)])
def test_fields_are_those_of_the_header(name: str, struct: type[c.Structure]) -> None:
    header = (SOURCE / "include/phial/phial.h").read_text(encoding="utf-8")
    body = re.search(rf"typedef struct phial_{name} {{(.*?)}} phial_{name};", header, re.DOTALL)
    assert body
    code = re.sub(r"//[^\n]*", "", body[1])
    declared = [re.fullmatch(r"\s*(.*?)\s*(\w+)\s*", part) for part in code.split(";") if part.strip()]
    fields = [(f[0], f[1]) for f in struct._fields_]
    assert [match[2] for match in declared if match] == [field for field, _ in fields]
    for match, (_, kind) in zip(declared, fields):
        assert match
        if match[1] in TYPES:
            assert TYPES[match[1]] is kind, match[2]


def test_defaults_stay_within_the_struct() -> None:
    lib = library()
    for struct, init in ((_structs.ModelOptions, lib.phial_model_options_init), (_structs.GenerateParams, lib.phial_generate_params_init),
                         (_structs.QuantizeOptions, lib.phial_quantize_options_init), (_structs.PullOptions, lib.phial_pull_options_init)):
        size = c.sizeof(struct)
        memory = c.create_string_buffer(b"\x5a" * (size + 64), size + 64)
        made = struct.from_buffer(memory)
        init(made, size)
        assert made.size == size
        assert memory.raw[size:] == b"\x5a" * 64
    assert phial.library_version() == phial.__version__
