# SPDX-License-Identifier: Apache-2.0
# A chat in a dozen lines. usage: chat.py MODEL   (a package, a Hugging Face folder, or a name)
import sys

import phial

messages = []
with phial.Engine(sys.argv[1]) as engine:
    print(f"{sys.argv[1]} on {engine.device}. An empty line ends.")
    while question := input("> "):
        messages.append({"role": "user", "content": question})
        stream = engine.stream(messages)
        for piece in stream:
            print(piece, end="", flush=True)
        print()
        messages.append({"role": "assistant", "content": stream.result.text})
