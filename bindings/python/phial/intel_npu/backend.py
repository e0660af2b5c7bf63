# SPDX-License-Identifier: Apache-2.0
"""What can be asked of the NPU itself, and where the archived library's building blocks have gone."""
from __future__ import annotations

from typing import Any, NoReturn

from ..errors import PhialError
from ..functions import devices

__all__ = ["check_npu_and_driver_version", "get_driver_installation_url", "npu_available"]

_OPERATIONS = "openvino.opset13 builds graphs of single operations, and openvino.Core().compile_model(graph, 'NPU') runs them"
_REPLACEMENTS = {
    "nn": "phial has whole models; " + _OPERATIONS,
    "functional": "phial has whole models; " + _OPERATIONS,
    "device": "NPUModelForCausalLM.from_pretrained opens a model on the NPU; .to('npu') isn't needed",
    "enable_npu_device": "NPUModelForCausalLM.from_pretrained opens a model on the NPU; .to('npu') isn't needed",
    "quantization": "phial.quantize makes packages of int4, int8 and fp16 weights",
    "optimizations": "nothing has to be fused by hand: phial and OpenVINO do it when a model is opened",
    "llm": "model.generate(): phial compiles for static shapes and warms up by itself",
    "generate_with_static_shape": "model.generate(): phial compiles for static shapes by itself",
    "warm_up_decoder_model": "nothing: a model is warm when from_pretrained returns",
    "clear_cache": "'phial cache clear' on the command line",
    "lib": "phial.h is the library's C interface",
    "get_driver_version": "phial.devices() describes the NPU with its driver",
}
_OF_OPERATIONS = {"NNFactory", "Tensor", "MatMul", "Linear", "QMatMul", "QLinear", "MLP", "Convolution", "SDPA", "SimpleSDPA",
                  "run_matmul", "run_factory"}


def refuse(full_name: str, name: str) -> NoReturn:
    """AttributeError for a name that isn't here, with what to use instead if the archived library had it."""
    replacement = _OPERATIONS if name in _OF_OPERATIONS else _REPLACEMENTS.get(name)
    if replacement:
        raise AttributeError(f"{full_name} of the archived Intel NPU Acceleration Library isn't in phial: {replacement} "
                             "(docs/from-npu-acceleration-library.md)")
    raise AttributeError(f"there is no {full_name}")


def npu() -> dict[str, Any] | None:
    """The NPU's entry of `phial.devices()`; None: this computer has none that a runtime knows."""
    for device in devices()["devices"]:
        if device.get("kind") == "npu":
            return device  # type: ignore[no-any-return]
    return None


def npu_available() -> bool:
    """Whether a model can be opened on an NPU here."""
    found = npu()
    return bool(found and found.get("usable"))


def get_driver_installation_url() -> str:
    """Where Intel publishes the NPU's driver for this system."""
    import sys
    if sys.platform == "win32":
        return "https://www.intel.com/content/www/us/en/download/794734/intel-npu-driver-windows.html"
    return "https://github.com/intel/linux-npu-driver"


def check_npu_and_driver_version() -> None:
    """Raises with the reason if no model can be opened on an NPU here."""
    found = npu()
    if not found:
        raise PhialError(f"no NPU was found; its driver is at {get_driver_installation_url()}")
    if not found.get("usable"):
        raise PhialError(f"{found['id']}: {found.get('why_not')}; the NPU's driver is at {get_driver_installation_url()}")


def __getattr__(name: str) -> Any:
    refuse(f"phial.intel_npu.backend.{name}", name)
