# SPDX-License-Identifier: Apache-2.0
# Phi-3-mini through optimum-intel on a folder that phial made. The folder was made with
#   phial quantize --model PHI3 --task text-generation-with-past --weight-format int4 --group-size 128 --ratio 0.6 --sym \
#     --trust-remote-code OUT
# which are the words of `optimum-cli export openvino`. With --phial the model runs on phial instead of optimum-intel: only
# the import changes. usage: openvino_optimum.py [--phial] [MODEL_DIR] [DEVICE]
import sys

from transformers import AutoConfig, AutoTokenizer

if "--phial" in sys.argv:
    sys.argv.remove("--phial")
    from phial.optimum import OVModelForCausalLM
else:
    from optimum.intel.openvino import OVModelForCausalLM

model_dir = sys.argv[1] if len(sys.argv) > 1 else "./phi3-int4"
device = sys.argv[2] if len(sys.argv) > 2 else "GPU.0"

ov_config = {"PERFORMANCE_HINT": "LATENCY", "NUM_STREAMS": "1", "CACHE_DIR": ""}

ov_model = OVModelForCausalLM.from_pretrained(
    model_dir,
    device=device,
    ov_config=ov_config,
    config=AutoConfig.from_pretrained(model_dir, trust_remote_code=True),
    trust_remote_code=True,
)
tokenizer = AutoTokenizer.from_pretrained(model_dir, trust_remote_code=True)
messages = [{"role": "user", "content": "Can you introduce yourself?"}]
inputs = tokenizer.apply_chat_template(messages, add_generation_prompt=True, return_tensors="pt", return_dict=True)
answer = ov_model.generate(**inputs, max_new_tokens=200, do_sample=False)
print(tokenizer.decode(answer[0, inputs["input_ids"].shape[1]:], skip_special_tokens=True))
