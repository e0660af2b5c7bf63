# SPDX-License-Identifier: Apache-2.0
"""A class for Ray Data's map_batches: answers to the rows of a data set."""
from __future__ import annotations

from typing import Any, Mapping

from ._answers import FIELDS, open_engine, record_of

_PARAMETERS = ("max_new_tokens", "temperature", "top_k", "top_p", "min_p", "repetition_penalty", "presence_penalty",
               "frequency_penalty", "seed", "stop", "ignore_eos", "keep_special", "speculate")
_WHOLE = ("max_new_tokens", "top_k", "seed")


class Generator:
    """For ``Dataset.map_batches``: each actor of it opens the model once and answers row after row.

    A row has a column ``prompt`` or ``messages`` (``prompt=`` and ``messages=`` name others). Parameters of `phial.Engine.chat`
    are keywords (``max_new_tokens=200``); a row's own columns of those names come before them. ``system`` is said before
    each prompt; with ``raw`` prompts are continued as they are, without the chat template. ``engine`` holds keywords of
    `phial.Engine`; its threads are the actor's ``num_cpus`` unless named.

    The row keeps its columns and gets ``text``, ``finish_reason``, ``prompt_tokens``, ``generated_tokens`` and ``error``,
    with ``prefix`` before these names. A row that can't be answered has ``error`` and null in the others: it is no reason to
    lose a job. Batches may be Arrow tables (``batch_format="pyarrow"``: columns pass untouched) or dicts of NumPy arrays.
    """

    def __init__(self, model: str, *, prompt: str = "prompt", messages: str = "messages", system: str | None = None,
                 raw: bool = False, prefix: str = "", engine: Mapping[str, Any] | None = None, **params: Any) -> None:
        unknown = sorted(set(params) - set(_PARAMETERS))
        if unknown:
            raise TypeError(f"there is no parameter '{unknown[0]}': there are {', '.join(sorted(_PARAMETERS))}")
        self._columns = (prompt, messages)
        self._system, self._raw, self._prefix = system, raw, prefix
        self._params = params
        self._engine = open_engine(model, engine or {})

    def __call__(self, batch: Any) -> Any:
        names = list(batch) if isinstance(batch, Mapping) else list(batch.column_names)
        taken = [name for name in self._names() if name in names]
        if taken:
            raise ValueError(f"the rows have a column '{taken[0]}' already, which would be the answer's: give Generator a "
                             "prefix for its columns, such as prefix='answer_'")
        if isinstance(batch, Mapping):
            n = len(batch[names[0]]) if names else 0
            records = [self._record({name: _plain(batch[name][i]) for name in names}) for i in range(n)]
        else:
            records = [self._record(row) for row in batch.to_pylist()]
        return self._with_answers(batch, records)

    def _names(self) -> list[str]:
        return [self._prefix + name for name in (*FIELDS, "error")]

    def _with_answers(self, batch: Any, records: list[dict[str, Any]]) -> Any:
        import pyarrow

        table = pyarrow.Table.from_pydict(dict(batch)) if isinstance(batch, Mapping) and not batch else batch
        types = dict(zip((*FIELDS, "error"), (pyarrow.string(), pyarrow.string(), pyarrow.int64(), pyarrow.int64(),
                                              pyarrow.string())))
        columns = {self._prefix + name: pyarrow.array([record.get(name) for record in records], kind)
                   for name, kind in types.items()}
        if isinstance(table, Mapping):  # of NumPy: a null in a column of numbers would make floats of them
            return {**table, **{name: _as_numpy(column) for name, column in columns.items()}}
        for name, column in columns.items():
            table = table.append_column(name, column)
        return table

    def _record(self, row: Mapping[str, Any]) -> dict[str, Any]:
        prompt, messages = (row.get(name) for name in self._columns)
        params = dict(self._params)
        for name in _PARAMETERS:
            value = row.get(name)
            if value is None or value != value:  # a null, which among NumPy's numbers is a NaN
                continue
            # A column with nulls in it has come as floats.
            params[name] = int(value) if name in _WHOLE and isinstance(value, float) and value.is_integer() else value
        if messages is not None:
            return record_of(self._engine, None, messages, params)
        if not isinstance(prompt, str):
            return {"error": f"the row has neither '{self._columns[0]}' with a text nor '{self._columns[1]}'"}
        if self._raw:
            return record_of(self._engine, prompt, None, params)
        system = [{"role": "system", "content": self._system}] if self._system else []
        return record_of(self._engine, None, [*system, {"role": "user", "content": prompt}], params)


def _plain(value: Any) -> Any:
    """NumPy's scalars and arrays as Python's own."""
    return value.tolist() if hasattr(value, "tolist") else value


def _as_numpy(column: Any) -> Any:
    import numpy

    if column.null_count or str(column.type) == "string":
        return numpy.array([*column.to_pylist()], dtype=object)
    return column.to_numpy(zero_copy_only=False)
