# SPDX-License-Identifier: Apache-2.0
"""NPUModelForCausalLM.from_pretrained: quantizes a model once, and opens it on the NPU."""
from __future__ import annotations

import os
import warnings
from typing import Any

from ..errors import PhialWarning, UnsupportedError
from ..quantized import package_of
from ..transformers import Phi3ForCausalLM
from .compiler import CompilerConfig
from .dtypes import weight_format

__all__ = ["NPUAutoModel", "NPUModel", "NPUModelForCausalLM", "NPUModelForSeq2SeqLM"]

# Words of transformers' from_pretrained that have no meaning here, and do no harm.
_WITHOUT_MEANING = frozenset({
    "attn_implementation", "device_map", "dtype", "export", "low_cpu_mem_usage", "torch_dtype", "transformers_class",
    "trust_remote_code", "use_cache", "use_safetensors"})


class NPUModelForCausalLM:
    """Opens Phi-3 models for text generation."""

    @staticmethod
    def from_pretrained(model_name_or_path: str, config: CompilerConfig | None = None, *, device: str = "npu",
                        require_npu: bool = False, max_batch: int = 1, settings: Any = (),
                        **kwargs: Any) -> Phi3ForCausalLM:
        """A transformers model whose logits come from phial on the NPU.

        `model_name_or_path`: a Hugging Face folder or a package of phial, or a name on the hub. Of a Hugging Face model a
        package is made, symmetric, with the weights that ``config.dtype`` says (int4 in groups of 128), and kept: a model with
        the same content is never quantized twice. Without an NPU another device runs it, and a `PhialWarning` names it and
        says why, unless ``require_npu``. ``max_batch``: rows that are computed side by side; ``settings``: as for
        `phial.Engine`.
        """
        if config is not None and not isinstance(config, CompilerConfig):
            raise TypeError(f"config must be a CompilerConfig, not {type(config).__name__}")
        unknown = sorted(set(kwargs) - _WITHOUT_MEANING)
        if unknown:
            warnings.warn(f"from_pretrained: phial has no use for {', '.join(unknown)}", PhialWarning, stacklevel=2)
        wanted = weight_format((config or CompilerConfig()).dtype)
        package = package_of(os.fspath(model_name_or_path), weight_format=wanted,
                             symmetric=None if wanted == "fp16" else True)
        told: list[str] = []
        model = Phi3ForCausalLM.of_package(
            package, max_batch=max_batch, device=device, require_device=require_npu, settings=settings,
            on_notice=lambda kind, text: told.append(text) if kind == "warning" else None)
        for text in told:
            warnings.warn(f"the model runs on '{model.engine.device}': {text}", PhialWarning, stacklevel=2)
        return model


class NPUModel(NPUModelForCausalLM):
    """The same: phial runs models that generate text."""


class NPUAutoModel(NPUModelForCausalLM):
    """The same: phial runs models that generate text."""


class NPUModelForSeq2SeqLM:
    """Encoder-decoder models: phial has none."""

    @staticmethod
    def from_pretrained(*_args: Any, **_kwargs: Any) -> Any:
        raise UnsupportedError("NPUModelForSeq2SeqLM: phial runs Microsoft's Phi-3 family only; optimum-intel's "
                               "OVModelForSeq2SeqLM runs encoder-decoder models on OpenVINO's devices")
