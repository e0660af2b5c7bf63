# SPDX-License-Identifier: Apache-2.0
"""In the place of Intel's archived NPU Acceleration Library, for its programs that run Phi-3: only the import changes.

    from phial.intel_npu import NPUModelForCausalLM, int4
    from phial.intel_npu.compiler import CompilerConfig

See docs/from-npu-acceleration-library.md. Needs torch and transformers.
"""
from __future__ import annotations

from typing import Any

from .. import __version__
from . import backend
from .compiler import CompilerConfig, compile
from .dtypes import float16, int4, int8
from .modelling import NPUAutoModel, NPUModel, NPUModelForCausalLM, NPUModelForSeq2SeqLM

__all__ = ["CompilerConfig", "NPUAutoModel", "NPUModel", "NPUModelForCausalLM", "NPUModelForSeq2SeqLM", "__version__", "backend",
           "compile", "float16", "int4", "int8"]


def __getattr__(name: str) -> Any:
    backend.refuse(f"phial.intel_npu.{name}", name)
