# SPDX-License-Identifier: Apache-2.0
# Phi-3-mini in INT4 on the NPU, as it was written for the Intel NPU Acceleration Library: only the two lines with
# "phial" in them are other ones. usage: npu_acceleration.py [MODEL]
import sys
import warnings

from transformers import AutoTokenizer, pipeline, TextStreamer
from phial.intel_npu import NPUModelForCausalLM, int4
from phial.intel_npu.compiler import CompilerConfig

model_id = sys.argv[1] if len(sys.argv) > 1 else "microsoft/Phi-3-mini-4k-instruct"

compiler_conf = CompilerConfig(dtype=int4)
model = NPUModelForCausalLM.from_pretrained(
    model_id, use_cache=True, config=compiler_conf, attn_implementation="sdpa"
).eval()
tokenizer = AutoTokenizer.from_pretrained(model_id)
text_streamer = TextStreamer(tokenizer, skip_prompt=True)

generation_args = {
    "max_new_tokens": 1024,
    "return_full_text": False,
    "temperature": 0.3,
    "do_sample": False,
    "streamer": text_streamer,
}

pipe = pipeline("text-generation", model=model, tokenizer=tokenizer)

query = "<|system|>You are a helpful AI assistant.<|end|><|user|>Can you introduce yourself?<|end|><|assistant|>"

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    pipe(query, **generation_args)
