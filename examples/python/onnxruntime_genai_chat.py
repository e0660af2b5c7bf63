# SPDX-License-Identifier: Apache-2.0
# A chat with ONNX Runtime GenAI on a folder that `phial quantize` made: nothing in it is phial's. For DirectML or CUDA make
# the folder ready with `phial export FOLDER --to ort-genai --ep dml` (or cuda). Questions come from standard input, one a
# line. usage: onnxruntime_genai_chat.py FOLDER
import json
import sys

import onnxruntime_genai as og

model = og.Model(sys.argv[1])
tokenizer = og.Tokenizer(model)
stream = tokenizer.create_stream()

params = og.GeneratorParams(model)
params.set_search_options(do_sample=False, max_length=1024)
generator = og.Generator(model, params)

if sys.stdin.isatty():
    print("Ask something; an empty line ends.")
for line in sys.stdin:
    question = line.strip()
    if not question:
        break
    messages = json.dumps([{"role": "user", "content": question}])
    prompt = tokenizer.apply_chat_template(messages=messages, add_generation_prompt=True)
    generator.append_tokens(tokenizer.encode(prompt))
    while not generator.is_done():
        generator.generate_next_token()
        print(stream.decode(generator.get_next_tokens()[0]), end="", flush=True)
    print()
