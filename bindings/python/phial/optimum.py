# SPDX-License-Identifier: Apache-2.0
"""In the place of optimum-intel's OVModelForCausalLM, for programs that are to run on phial: only the import changes.

    from phial.optimum import OVModelForCausalLM

optimum-intel's own class opens phial's folders too. Needs torch and transformers.
"""
from __future__ import annotations

import os
import warnings
from typing import Any, Mapping

from .errors import PhialWarning
from .quantized import package_of
from .transformers import Phi3ForCausalLM

__all__ = ["OVModelForCausalLM"]


class OVModelForCausalLM:
    """Opens Phi-3 models on OpenVINO's devices, with optimum-intel's words."""

    @staticmethod
    def from_pretrained(model_id: str, device: str = "CPU", ov_config: Mapping[str, Any] | None = None, config: Any = None, *,
                        load_in_8bit: bool | None = None, max_batch: int = 1, **kwargs: Any) -> Phi3ForCausalLM:
        """`model_id`: a package of phial, a Hugging Face folder (of which a package is made and kept) or a name on the hub.
        ``device``: "CPU", "GPU", "GPU.0", "NPU", "AUTO", or a device as phial names it. ``ov_config``: OpenVINO's properties;
        an empty CACHE_DIR means that compiled models aren't kept.
        """
        settings = {str(k): v for k, v in (ov_config or {}).items()}
        cache = settings.pop("CACHE_DIR", None)
        if cache is not None and not str(cache):
            settings["cache"] = "no"
        elif cache:
            warnings.warn("from_pretrained: phial keeps compiled models in its own cache (PHIAL_CACHE), not in CACHE_DIR",
                          PhialWarning, stacklevel=2)
        weight_format = "int8" if load_in_8bit else "fp16"
        package = package_of(os.fspath(model_id), weight_format=weight_format)
        name = device if device.islower() else {"AUTO": "auto"}.get(device.upper(), f"openvino:{device}")
        told: list[str] = []
        model = Phi3ForCausalLM.of_package(
            package, config, max_batch, device=name, settings=settings,
            on_notice=lambda kind, text: told.append(text) if kind == "warning" else None)
        for text in told:
            warnings.warn(f"the model runs on '{model.engine.device}': {text}", PhialWarning, stacklevel=2)
        return model
