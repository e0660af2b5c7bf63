# SPDX-License-Identifier: Apache-2.0
"""Packages made when a program first asks for them, and found again by the content of what they were made of."""
from __future__ import annotations

import concurrent.futures
import hashlib
import json
import os
import pathlib
import tempfile

from . import _convert as convert
from .errors import InvalidArgumentError, NotFoundError
from .functions import Progress, describe, find_model, library_version, pull, quantize

__all__ = ["package_of"]


def cache_folder() -> pathlib.Path:
    """PHIAL_QUANTIZED, else phial-quantized in the user's cache folder."""
    named = os.environ.get("PHIAL_QUANTIZED")
    if named:
        return pathlib.Path(named)
    base = os.environ.get("XDG_CACHE_HOME") or os.environ.get("LOCALAPPDATA")
    return (pathlib.Path(base) if base else pathlib.Path.home() / ".cache") / "phial-quantized"


def package_of(model: convert.Path, *, weight_format: str = "int4", group_size: int = 128,
               symmetric: bool | None = None, progress: Progress | None = None, offline: bool = False) -> str:
    """The folder of a package of `model`: itself if it is one, else one that is made now or was made before.

    `model` is a folder (a package or a Hugging Face model), or a name: of a model of this user, or on the hub, which is
    downloaded. A Hugging Face folder is told from another by all of its bytes.
    """
    folder = pathlib.Path(os.fspath(model))
    if not folder.is_dir():
        name = f"{os.fspath(model)}:{weight_format}"
        try:
            return find_model(name)
        except NotFoundError:
            return str(pull(name, weight_format=weight_format, group_size=group_size, symmetric=symmetric, offline=offline,
                            progress=progress)["folder"])
    if (folder / "phial.json").is_file():
        return str(folder)
    recipe = {"weight_format": weight_format, "group_size": group_size if weight_format == "int4" else None,
              "symmetric": symmetric, "phial": library_version()}
    describe(folder)  # what isn't a model is said before anything is read
    key = hashlib.sha256(json.dumps([_content(folder), recipe], sort_keys=True).encode()).hexdigest()[:32]
    package = cache_folder() / f"{folder.resolve().name}-{weight_format}-{key}"
    if not (package / "phial.json").is_file():
        package.parent.mkdir(parents=True, exist_ok=True)
        try:
            quantize(folder, package, weight_format=weight_format, group_size=group_size, symmetric=symmetric,
                     progress=progress)
        except InvalidArgumentError:
            if not (package / "phial.json").is_file():  # else another process was faster
                raise
    return str(package)


def _content(folder: pathlib.Path) -> list[tuple[str, str]]:
    """Name and SHA-256 of each file that a package is made of. Hashes of large files are remembered by size and time."""
    files = sorted(p for p in folder.iterdir() if p.is_file() and p.suffix in (".json", ".safetensors", ".jinja", ".model"))
    index = cache_folder() / "hashes.json"
    try:
        known: dict[str, str] = json.loads(index.read_text(encoding="utf-8"))
        if not isinstance(known, dict):
            known = {}
    except (OSError, ValueError):
        known = {}
    keys = {}
    for path in files:
        status = path.stat()
        keys[path] = f"{path.resolve()}|{status.st_size}|{status.st_mtime_ns}|{status.st_ino}"
    unknown = [path for path in files if keys[path] not in known]
    with concurrent.futures.ThreadPoolExecutor(max_workers=4) as pool:
        for path, digest in zip(unknown, pool.map(_sha256, unknown)):
            known[keys[path]] = digest
    if unknown:
        index.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile("w", dir=index.parent, delete=False, encoding="utf-8") as written:
            json.dump(dict(list(known.items())[-1000:]), written)
        os.replace(written.name, index)
    return [(path.name, known[keys[path]]) for path in files]


def _sha256(path: pathlib.Path) -> str:
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


