# SPDX-License-Identifier: Apache-2.0
"""The data types that a model can be compiled to: int4, int8, float16 (torch's dtypes of that name will do too)."""
from __future__ import annotations

import dataclasses
from typing import Any

from ..errors import UnsupportedError

__all__ = ["NPUDtype", "bfloat16", "float16", "float32", "int4", "int8"]


@dataclasses.dataclass(frozen=True)
class NPUDtype:
    """A data type of weights by its name and bits."""

    name: str
    bits: int
    min: float
    max: float
    is_floating_point: bool = False

    def __repr__(self) -> str:
        return self.name


int4 = NPUDtype("int4", 4, -8, 7)
int8 = NPUDtype("int8", 8, -128, 127)
float16 = NPUDtype("fp16", 16, -65504.0, 65504.0, True)
bfloat16 = NPUDtype("bf16", 16, -3.3895313892515355e38, 3.3895313892515355e38, True)
float32 = NPUDtype("fp32", 32, -3.4028234663852886e38, 3.4028234663852886e38, True)

_FORMATS = {"int4": "int4", "int8": "int8", "fp16": "fp16", "float16": "fp16"}


def weight_format(dtype: Any) -> str:
    """phial's word for a dtype of this module or of torch."""
    name = str(dtype).rsplit(".", 1)[-1]
    if name not in _FORMATS:
        raise UnsupportedError(f"CompilerConfig: dtype is {name}, expected int4, int8 or float16")
    return _FORMATS[name]
