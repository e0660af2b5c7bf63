# SPDX-License-Identifier: Apache-2.0
"""phial on a Ray cluster: rows of a data set, a service, and the engines behind `phial batch --ray`.

    import phial.ray, ray

    ray.data.read_json("questions.jsonl", lines=True).map_batches(
        phial.ray.Generator, fn_constructor_args=("/models/phi3-int4",), fn_constructor_kwargs={"max_new_tokens": 200},
        compute=ray.data.ActorPoolStrategy(size=4), num_cpus=8, batch_size=16, batch_format="pyarrow",
    ).write_parquet("answers")

    from ray import serve

    serve.run(phial.ray.app("/models/phi3-int4", replicas=(1, 4), num_cpus=8))

Ray (``pip install 'phial[ray]'``) and this package are on every node, and the model at the same path, or under its name
(`phial pull`). However many engines a node has, their weights are in its memory once: all map the same file.
docs/scale-out.md has the whole of it.
"""
from ._data import Generator
from ._serve import app

__all__ = ["Generator", "app"]
