#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Packs a nuspec and the files it names into a .nupkg, where `nuget` isn't installed: a zip with known parts, the same bytes each time.

usage: pack_nuget.py NUSPEC FOLDER OUT [--partial]
  FOLDER holds the files by their `src`; OUT: the folder for ID.VERSION.nupkg. With --partial files of other platforms may lack.
"""
import hashlib
import pathlib
import sys
import xml.etree.ElementTree as xml
import zipfile

CONTENT_TYPES = "http://schemas.openxmlformats.org/package/2006/content-types"
RELATIONSHIPS = "http://schemas.openxmlformats.org/package/2006/relationships"
CORE = "http://schemas.openxmlformats.org/package/2006/metadata/core-properties"
DC = "http://purl.org/dc/elements/1.1/"
WHEN = (1980, 1, 1, 0, 0, 0)  # the earliest that a zip can say


def text_of(element: xml.Element) -> bytes:
    xml.indent(element)
    return xml.tostring(element, encoding="utf-8", xml_declaration=True) + b"\n"


def content_types(names: list) -> bytes:
    known = {"rels": "application/vnd.openxmlformats-package.relationships+xml",
             "psmdcp": "application/vnd.openxmlformats-package.core-properties+xml"}
    root = xml.Element("Types", xmlns=CONTENT_TYPES)
    for extension in sorted({pathlib.PurePosixPath(name).suffix[1:] for name in names}):
        xml.SubElement(root, "Default", Extension=extension, ContentType=known.get(extension, "application/octet"))
    return text_of(root)


def relationships(nuspec: str, properties: str) -> bytes:
    root = xml.Element("Relationships", xmlns=RELATIONSHIPS)
    for name, kind in ((nuspec, "http://schemas.microsoft.com/packaging/2010/07/manifest"),
                       (properties, "http://schemas.openxmlformats.org/package/2006/relationships/metadata/core-properties")):
        xml.SubElement(root, "Relationship", Type=kind, Target=f"/{name}", Id="R" + hashlib.sha256(name.encode()).hexdigest()[:16].upper())
    return text_of(root)


def core_properties(metadata: dict) -> bytes:
    xml.register_namespace("dc", DC)
    root = xml.Element("coreProperties", xmlns=CORE)
    for name, key in (("creator", "authors"), ("description", "description"), ("identifier", "id")):
        xml.SubElement(root, f"{{{DC}}}{name}").text = metadata[key]
    xml.SubElement(root, "version").text = metadata["version"]
    return text_of(root)


def named_files(nuspec: xml.Element, space: str, folder: pathlib.Path, partial: bool) -> dict:
    found = {}
    for entry in nuspec.findall(f"{space}files/{space}file"):
        source, target = entry.get("src"), entry.get("target")
        files = sorted(p for p in folder.glob(source) if p.is_file())
        if not files and not partial:
            sys.exit(f"{folder}: there is no {source}, which the nuspec names (--partial leaves out what isn't there)")
        for file in files:
            # A target with the suffix of its source is a name, else a folder.
            name = target if pathlib.PurePosixPath(target).suffix == file.suffix else f"{target}/{file.name}"
            found[name] = file.read_bytes()
    return found


def main() -> int:
    arguments = [a for a in sys.argv[1:] if a != "--partial"]
    if len(arguments) != 3:
        sys.exit(__doc__)
    path, folder, out = map(pathlib.Path, arguments)
    nuspec = xml.parse(path).getroot()
    schema = nuspec.tag[1:].split("}")[0]
    space = f"{{{schema}}}"
    metadata = {child.tag.removeprefix(space): child.text for child in nuspec.find(f"{space}metadata")}
    files = named_files(nuspec, space, folder, "--partial" in sys.argv)
    if not files:
        sys.exit(f"{folder}: none of the files that {path} names is there")
    nuspec.remove(nuspec.find(f"{space}files"))  # the files themselves say it
    xml.register_namespace("", schema)
    manifest = f"{metadata['id']}.nuspec"
    files[manifest] = text_of(nuspec)
    properties = f"package/services/metadata/core-properties/{hashlib.sha256(files[manifest]).hexdigest()[:32]}.psmdcp"
    files[properties] = core_properties(metadata)
    files["_rels/.rels"] = relationships(manifest, properties)
    files["[Content_Types].xml"] = content_types([*files])
    out.mkdir(parents=True, exist_ok=True)
    package = out / f"{metadata['id']}.{metadata['version']}.nupkg"
    with zipfile.ZipFile(package, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in sorted(files):
            entry = zipfile.ZipInfo(name, WHEN)
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, files[name], zipfile.ZIP_DEFLATED)
    print(f"{package}: {package.stat().st_size} bytes, {len(files)} files")
    return 0


sys.exit(main())
