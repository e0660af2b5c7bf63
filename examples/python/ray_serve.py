# SPDX-License-Identifier: Apache-2.0
# A model as a service on a Ray cluster, which takes OpenAI's requests. usage: ray_serve.py MODEL [PORT]
import sys

from ray import serve

import phial.ray

serve.start(http_options={"host": "127.0.0.1", "port": int(sys.argv[2]) if len(sys.argv) > 2 else 8000})
serve.run(phial.ray.app(sys.argv[1], replicas=(1, 4), num_cpus=1), name="phial", blocking=True)
# curl http://127.0.0.1:8000/v1/chat/completions -d '{"messages": [{"role": "user", "content": "What is an NPU?"}], "stream": true}'
