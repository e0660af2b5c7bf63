# SPDX-License-Identifier: Apache-2.0
"""CompilerConfig, and what stands where compile() was."""
from __future__ import annotations

from typing import Any

from ..errors import UnsupportedError
from .dtypes import float16, weight_format

__all__ = ["CompilerConfig", "compile"]


class CompilerConfig:
    """How a model is made ready: ``dtype`` is int4, int8 or float16. The other two are there for programs that name them."""

    def __init__(self, use_to: bool = False, dtype: Any = float16, training: bool = False) -> None:
        if training:
            raise UnsupportedError("phial runs models and doesn't train them: CompilerConfig(training=True) has no counterpart")
        weight_format(dtype)
        self.use_to = use_to
        self.dtype = dtype
        self.training = training

    def __repr__(self) -> str:
        return f"CompilerConfig(dtype={self.dtype!r})"


def compile(model: Any, config: CompilerConfig | None = None) -> Any:  # noqa: A001  the archived library's name
    """A PyTorch module can't be compiled here: phial begins at the files of a model."""
    raise UnsupportedError("phial.intel_npu.compile: phial runs Phi-3 models from their files, not PyTorch modules; use "
                           "phial.intel_npu.NPUModelForCausalLM.from_pretrained(folder, config=CompilerConfig(dtype=int4)), or "
                           "torch.compile(model, backend='openvino') for other modules")
