# SPDX-License-Identifier: Apache-2.0
"""What transformers renders: for the published templates (text only, keyed by file) and for our own feature templates.

    python tools/oracle/chat_templates.py ../shared/data
writes tests/golden/chat/rendered.json, and fills "rendered" or "error" into tests/golden/chat/features.json.
"""
import json
import pathlib
import sys

from transformers.utils.chat_template_utils import _compile_jinja_template, render_jinja_template

GOLDEN = pathlib.Path(__file__).parents[2] / "tests/golden/chat"


def turn(role, content, **more):
    return {"role": role, "content": content, **more}


CONVERSATIONS = {
    "user": [turn("user", "Hello")],
    "system": [turn("system", "Be brief."), turn("user", "Hi\nthere")],
    "empty system": [turn("system", ""), turn("user", "Hi")],
    "several turns": [turn("system", "S"), turn("user", "a"), turn("assistant", "b"), turn("user", "c"),
                      turn("assistant", "d")],
    "assistant last": [turn("user", "x"), turn("assistant", "The answer is")],
    "unicode": [turn("user", "  Grüße, 世界 🦙\u00a0\t"), turn("assistant", "e\u0301 <|end|> {{ x }} {% raw %}")],
    "tools": [turn("system", "You have tools.", tools='[{"name": "f", "parameters": {"a": {"type": "str"}}}]'),
              turn("user", "call f")],
    "tools none": [turn("system", "No tools.", tools=None), turn("user", "x")],
    "unknown role": [turn("user", "x"), turn("tool", '{"a": 1}'), turn("critic", "bad")],
    "late system": [turn("user", "x"), turn("system", "now this"), turn("user", "y")],
    "empty texts": [turn("user", ""), turn("assistant", ""), turn("user", " ")],
    "line ends": [turn("user", "a\r\nb\rc\n"), turn("assistant", "\n\n")],
}


def templates(data):
    for path in sorted(data.rglob("tokenizer_config.json")):
        config = json.loads(path.read_text())
        if config.get("chat_template"):
            yield path, config["chat_template"], config
    for path in sorted(data.rglob("*.jinja")):
        config = path.parent / "tokenizer_config.json"
        config = json.loads(config.read_text()) if config.exists() else {"bos_token": "<s>", "eos_token": "<|endoftext|>"}
        yield path, path.read_text(), config


def special_tokens(config):
    names = ("bos_token", "eos_token", "unk_token", "pad_token")
    return {n: v if isinstance(v, str) else v["content"] for n in names if (v := config.get(n))}


def main():
    data = pathlib.Path(sys.argv[1])
    cases, seen = [], {}
    for path, template, config in templates(data):
        variables = special_tokens(config)
        key = (template, json.dumps(variables))
        if key in seen:
            continue
        seen[key] = True
        for name, messages in CONVERSATIONS.items():
            for prompt in (False, True):
                rendered = render_jinja_template([messages], chat_template=template, add_generation_prompt=prompt,
                                                 **variables)[0][0]
                cases.append({"file": str(path.relative_to(data)), "conversation": name, "prompt": prompt,
                              "rendered": rendered})
    result = {"conversations": CONVERSATIONS, "cases": cases}
    (GOLDEN / "rendered.json").write_text(json.dumps(result, ensure_ascii=False, indent=0) + "\n")

    path = GOLDEN / "features.json"
    features = json.loads(path.read_text())
    for case in features:
        case.pop("rendered", None), case.pop("error", None)
        try:
            variables = {"tools": None, "documents": None, **case.get("variables", {})}
            variables.setdefault("messages", [])
            variables.setdefault("add_generation_prompt", False)
            case["rendered"] = _compile_jinja_template(case["template"]).render(**variables)
        except Exception as error:  # any of jinja2's or Python's
            case["error"] = type(error).__name__
    path.write_text("[\n" + ",\n".join(json.dumps(c, ensure_ascii=False) for c in features) + "\n]\n")
    failed = [c for c in features if "error" in c]
    print(f"{len(cases)} rendered, {len(features)} features, {len(failed)} of them errors")
    for case in failed:
        print("  ", case["error"], repr(case["template"]))


main()
