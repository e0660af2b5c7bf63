#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A small hub of the tests' own, on loopback: repositories are folders, large files are redirected to a second server.

It speaks what phial asks of a Hugging Face compatible hub: /api/models/REPO/revision/REV?blobs=true and
/REPO/resolve/COMMIT/FILE, with ranges. `faults` says what goes wrong, see Faults.
"""
import hashlib
import http.server
import json
import pathlib
import re
import threading
import urllib.parse

COMMIT = "0123456789abcdef0123456789abcdef01234567"
LARGE = 100_000  # bytes from which on a file is kept elsewhere, as large files are


class Faults:
    def __init__(self):
        self.gated = self.wrong_checksum = self.no_ranges = self.short = False
        self.busy = 0        # so many requests are answered 429, then it goes
        self.broken = 0      # so many 503
        self.cut = 0         # so many bodies end half way
        self.hold = None     # a threading.Event: large files wait for it after their first bytes
        self.started = threading.Event()  # a held body has begun


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def blob(data: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()


class SmallHub:
    def __init__(self, folder: pathlib.Path):
        self.folder, self.faults, self.log, self.lock = folder, Faults(), [], threading.Lock()
        self.hub, self.far = self.serve(self.answer_hub), self.serve(self.answer_far)
        self.endpoint = f"http://127.0.0.1:{self.hub.server_port}"

    def serve(self, answer):
        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                try:
                    answer(self)
                except (BrokenPipeError, ConnectionResetError):
                    self.close_connection = True

            def log_message(self, *_):
                pass

        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        return server

    def close(self):
        for server in (self.hub, self.far):
            server.shutdown()
            server.server_close()

    def take(self, name: str) -> bool:
        """One of so many faults, if any is left."""
        with self.lock:
            n = getattr(self.faults, name)
            setattr(self.faults, name, max(0, n - 1))
            return n > 0

    def note(self, request):
        with self.lock:
            self.log.append((request.path, dict(request.headers)))

    def reply(self, request, status: int, body: bytes = b"", **headers):
        request.send_response(status)
        for name, value in headers.items():
            request.send_header(name.replace("_", "-"), str(value))
        request.send_header("Content-Length", str(len(body)))
        request.end_headers()
        request.wfile.write(body)

    def answer_hub(self, request):
        self.note(request)
        path = urllib.parse.unquote(urllib.parse.urlsplit(request.path).path)
        if self.take("busy"):
            return self.reply(request, 429, b"slow down", Retry_After="0")
        if self.take("broken"):
            return self.reply(request, 503, b"later")
        listing = re.fullmatch(r"/api/models/([^/]+/[^/]+)/revision/([^/]+)", path)
        file = re.fullmatch(r"/([^/]+/[^/]+)/resolve/" + COMMIT + "/(.+)", path)
        found = listing or file
        if not found or not (self.folder / found[1]).is_dir():
            return self.reply(request, 401, b"", X_Error_Code="RepoNotFound")
        if self.faults.gated and request.headers.get("Authorization") != "Bearer good":
            return self.reply(request, 403 if request.headers.get("Authorization") else 401, b"", X_Error_Code="GatedRepo")
        if listing:
            if listing[2] not in ("main", COMMIT):
                return self.reply(request, 404, b"", X_Error_Code="RevisionNotFound")
            return self.reply(request, 200, json.dumps(self.listing(listing[1])).encode(), Content_Type="application/json")
        target = self.folder / file[1] / file[2]
        if not target.is_file():
            return self.reply(request, 404, b"", X_Error_Code="EntryNotFound")
        if target.stat().st_size >= LARGE:
            return self.reply(request, 302, b"", Location=f"http://localhost:{self.far.server_port}/{file[1]}/{file[2]}")
        self.send_file(request, target)

    def listing(self, repository: str) -> dict:
        files = []
        for path in sorted((self.folder / repository).iterdir()):
            data = path.read_bytes()
            item = {"rfilename": path.name, "size": len(data), "blobId": blob(data)}
            if len(data) >= LARGE:
                digest = sha256(data)
                if self.faults.wrong_checksum:
                    digest = "0" * 64
                item["lfs"] = {"sha256": digest, "size": len(data), "pointerSize": 135}
            files.append(item)
        return {"id": repository, "sha": COMMIT, "siblings": files}

    def answer_far(self, request):
        self.note(request)
        self.send_file(request, self.folder / urllib.parse.unquote(request.path.lstrip("/")))

    def send_file(self, request, path: pathlib.Path):
        data = path.read_bytes()
        begin, end, status = 0, len(data), 200
        asked = re.fullmatch(r"bytes=(\d+)-(\d*)", request.headers.get("Range", ""))
        if asked and not self.faults.no_ranges:
            begin, status = int(asked[1]), 206
            end = min(end, int(asked[2]) + 1) if asked[2] else end
        request.send_response(status)
        if status == 206:
            request.send_header("Content-Range", f"bytes {begin}-{end - 1}/{len(data)}")
        request.send_header("Content-Length", str(end - begin))
        request.end_headers()
        body = data[begin:end]
        if len(data) >= LARGE and self.faults.hold and begin > 0:
            request.wfile.write(body[:1000])
            self.faults.started.set()
            self.faults.hold.wait(300)
            body = body[1000:]
        if len(data) >= LARGE and self.take("cut"):
            request.wfile.write(body[:len(body) // 2])
            request.close_connection = True
            request.connection.close()
            return
        request.wfile.write(body)
