# SPDX-License-Identifier: Apache-2.0
# A file of prompts, answered on a Ray cluster. usage: ray_data.py MODEL IN OUT   (IN: JSON lines or Parquet; OUT: a folder of Parquet)
import sys

import ray

import phial.ray

model, source, target = sys.argv[1:]
rows = ray.data.read_parquet(source) if source.endswith(".parquet") else ray.data.read_json(source, lines=True)
rows.map_batches(phial.ray.Generator, fn_constructor_args=(model,), fn_constructor_kwargs={"max_new_tokens": 200}, num_cpus=1,
                 compute=ray.data.ActorPoolStrategy(min_size=1, max_size=64), batch_size=16, batch_format="pyarrow",
                 ).write_parquet(target)
