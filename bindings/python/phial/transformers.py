# SPDX-License-Identifier: Apache-2.0
"""A model of phial in the shape of a transformers model, so that transformers' generate(), streamers and pipelines drive it.

Needs torch and transformers. The logits come from phial; what is made of them is transformers' business.
"""
from __future__ import annotations

import os
import threading
from typing import Any

try:
    import torch
    import transformers
    from transformers.modeling_outputs import CausalLMOutputWithPast
except ImportError as why:
    raise ImportError(f"phial.transformers, phial.intel_npu and phial.optimum need PyTorch and transformers ({why}): "
                      "pip install torch transformers") from why

from .engine import Engine
from .errors import ContextFullError, InvalidArgumentError, UnsupportedError
from .session import Session

__all__ = ["Past", "Phi3ForCausalLM"]


class Past:
    """What ``past_key_values`` is here: the ids that came before, a list for each row. The cache itself stays in phial."""

    def __init__(self, ids: list[list[int]]) -> None:
        self.ids = ids

    def get_seq_length(self, layer_idx: int = 0) -> int:
        return max((len(row) for row in self.ids), default=0)


class _Sequence:
    """A session, and the tokens that it holds."""

    def __init__(self, engine: Engine) -> None:
        self.session = Session(engine)
        self.ids: list[int] = []

    def logits(self, ids: list[int], every: bool) -> torch.Tensor:
        """Of the last position, [1, vocab], or of each, [n, vocab]; only what the session doesn't hold yet is computed."""
        common = 0
        if not every:
            for mine, asked in zip(self.ids, ids[:-1]):
                if mine != asked:
                    break
                common += 1
        if common < len(self.ids):
            self.session.truncate(common)
            self.ids = self.ids[:common]
        values = self.session.step(ids[common:], all_logits=every)
        self.ids = list(ids)
        return torch.frombuffer(values, dtype=torch.float32).view(-1, self.session.vocab)


class Phi3ForCausalLM(transformers.PreTrainedModel, transformers.GenerationMixin):  # type: ignore[misc]
    """Named as transformers' own class for these models, whose place it takes in its pipelines.

    Every step is given its whole rows of tokens. phial keeps one sequence for each row and computes what is new in it, so all
    ways of generating work, beam search too, though what a beam leaves has to be computed again.
    """

    config_class = transformers.Phi3Config
    base_model_prefix = "model"
    main_input_name = "input_ids"
    _supports_sdpa = True
    _supports_flash_attn = True
    _supports_attention_backend = True

    def __init__(self, config: Any, engine: Engine) -> None:
        super().__init__(config)
        self.engine = engine
        self._sequences: list[_Sequence] = []
        self._lock = threading.Lock()

    @classmethod
    def of_package(cls, package: str, config: Any = None, max_batch: int = 8, **options: Any) -> Phi3ForCausalLM:
        """On a package of phial; `options` are `phial.Engine`'s. `max_batch`: rows that can be computed side by side."""
        if config is None:
            config = transformers.AutoConfig.from_pretrained(package)
        model = cls(config, Engine(package, max_sequences=max_batch, **options))
        if os.path.isfile(os.path.join(package, "generation_config.json")):
            model.generation_config = transformers.GenerationConfig.from_pretrained(package)
        model.name_or_path = package
        return model.eval()  # type: ignore[no-any-return]

    @property
    def device(self) -> torch.device:
        """Where the logits are: always the CPU's memory. `engine.device` says where the model runs."""
        return torch.device("cpu")

    @property
    def dtype(self) -> torch.dtype:
        return torch.float32

    def to(self, *_args: Any, **_kwargs: Any) -> Phi3ForCausalLM:
        """Nothing: the device was chosen when the model was opened."""
        return self

    half = float = bfloat16 = cpu = to

    def train(self, mode: bool = True) -> Phi3ForCausalLM:
        if mode:
            raise UnsupportedError("phial runs models and doesn't train them: train with PyTorch, then quantize the result")
        return super().train(False)  # type: ignore[no-any-return]

    def forward(self, input_ids: torch.Tensor | None = None, attention_mask: torch.Tensor | None = None,
                past_key_values: Any = None, inputs_embeds: Any = None, labels: Any = None, use_cache: bool | None = None,
                logits_to_keep: int = 0, return_dict: bool | None = None, output_attentions: bool | None = None,
                output_hidden_states: bool | None = None, **_ignored: Any) -> Any:
        """Logits [batch, n, vocab] of the ids [batch, n]; with ``logits_to_keep=1`` of the last one only."""
        if input_ids is None or inputs_embeds is not None or labels is not None:
            raise UnsupportedError("phial takes token ids: inputs_embeds and labels (training) have no place here")
        if output_attentions or output_hidden_states:
            raise UnsupportedError("phial gives logits, not attentions or hidden states")
        before = past_key_values.ids if isinstance(past_key_values, Past) else [[] for _ in input_ids]
        rows = []
        for i, row in enumerate(input_ids.tolist()):
            if attention_mask is not None:
                mask = attention_mask[i, -len(row):].tolist()
                row = [token for token, used in zip(row, mask) if used]
            rows.append([*before[i], *row])
        with self._lock:
            logits = self._rows(rows, [len(b) for b in before], input_ids.shape[1], attention_mask, logits_to_keep)
        past = Past(rows) if use_cache is not False else None
        if return_dict is False:
            return (logits, past)
        return CausalLMOutputWithPast(logits=logits, past_key_values=past)

    def _rows(self, rows: list[list[int]], known: list[int], width: int, mask: torch.Tensor | None,
              logits_to_keep: int) -> torch.Tensor:
        limit = self.engine.describe()["session"]["max_sequences"]
        while len(self._sequences) < min(len(rows), limit):
            self._sequences.append(_Sequence(self.engine))
        last = logits_to_keep == 1 or width == 1
        taken: set[int] = set()
        result = []
        for i, ids in enumerate(rows):
            if not ids:
                raise InvalidArgumentError("a row has no token that its attention mask leaves")
            if len(ids) > self.engine.context:
                raise ContextFullError(f"{len(ids)} tokens are more than the context of {self.engine.context}")
            if len(rows) > limit:
                taken.clear()  # more rows than sequences: they take turns
            values = self._sequence_for(ids, taken).logits(ids, not last)
            if not last:
                values = values[known[i]:]
                full = values.new_zeros(width, values.shape[1])
                used = mask[i, -width:].bool() if mask is not None else torch.ones(width, dtype=torch.bool)
                full[used] = values
                values = full[-logits_to_keep:] if logits_to_keep else full
            result.append(values)
        return torch.stack(result)

    def _sequence_for(self, ids: list[int], taken: set[int]) -> _Sequence:
        """The one that holds the longest beginning of these ids."""
        def common(i: int) -> int:
            n = 0
            for mine, asked in zip(self._sequences[i].ids, ids):
                if mine != asked:
                    break
                n += 1
            return n

        best = max((i for i in range(len(self._sequences)) if i not in taken), key=common)
        taken.add(best)
        return self._sequences[best]

    def prepare_inputs_for_generation(self, input_ids: torch.Tensor, attention_mask: torch.Tensor | None = None,
                                      **_kwargs: Any) -> dict[str, Any]:
        return {"input_ids": input_ids, "attention_mask": attention_mask, "use_cache": False, "logits_to_keep": 1}

    @staticmethod
    def _reorder_cache(past_key_values: Any, _beam_idx: Any) -> Any:
        return past_key_values

    def save_pretrained(self, save_directory: Any, **_kwargs: Any) -> None:
        raise UnsupportedError(f"the weights are in phial's package {self.engine.path}: copy that folder, or "
                               "'phial cp' it to a name")

    def close(self) -> None:
        """Releases the model."""
        with self._lock:
            for sequence in self._sequences:
                sequence.session.close()
            self._sequences.clear()
        self.engine.close()
