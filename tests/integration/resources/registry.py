"""A registry of one image, for engines to pull from: just the reading half of its HTTP API. Run as a program."""

from __future__ import annotations

import base64
import gzip
import hashlib
import io
import json
import os
import sys
import tarfile
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

NAME, TAG = "shop/api", "1"
_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"


def digest(data: bytes) -> str:
    """As registries name content."""
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def image(layers: int, size: int) -> tuple[bytes, dict[str, bytes]]:
    """A manifest and its blobs by digest: so many layers of so many random bytes."""
    blobs: dict[str, bytes] = {}
    diffs, entries = [], []
    for number in range(layers):
        out = io.BytesIO()
        with tarfile.open(fileobj=out, mode="w") as tar:
            entry = tarfile.TarInfo(f"file{number}")
            entry.size = size
            tar.addfile(entry, io.BytesIO(os.urandom(size)))
        packed = gzip.compress(out.getvalue(), 1)
        diffs.append(digest(out.getvalue()))
        blobs[digest(packed)] = packed
        entries.append(
            {"mediaType": "application/vnd.docker.image.rootfs.diff.tar.gzip", "size": len(packed),
             "digest": digest(packed)}
        )  # fmt: skip
    config = json.dumps(
        {"architecture": "amd64", "os": "linux", "config": {}, "rootfs": {"type": "layers", "diff_ids": diffs}}
    ).encode()
    blobs[digest(config)] = config
    manifest = {
        "schemaVersion": 2, "mediaType": _MANIFEST, "layers": entries,
        "config": {"mediaType": "application/vnd.docker.container.image.v1+json", "size": len(config),
                   "digest": digest(config)},
    }  # fmt: skip
    return json.dumps(manifest).encode(), blobs


def serve(port: int, login: str) -> None:
    """Answer for ever; says ``ready`` once it listens. ``login`` is ``user:password``; empty = none is asked for."""
    wanted = f"Basic {base64.b64encode(login.encode()).decode()}"
    manifest, blobs = image(3, 2 << 20)

    class Handler(BaseHTTPRequestHandler):
        """GET and HEAD of /v2/."""

        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            """Content or 404."""
            self._answer(with_body=True)

        def do_HEAD(self) -> None:
            """Its headers alone."""
            self._answer(with_body=False)

        def _answer(self, *, with_body: bool) -> None:
            if login and self.headers.get("Authorization") != wanted:
                self.send_response(401)
                self.send_header("WWW-Authenticate", 'Basic realm="tests"')
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            kind, body = _MANIFEST, b""
            known = self.path == "/v2/"
            if self.path in (f"/v2/{NAME}/manifests/{TAG}", f"/v2/{NAME}/manifests/{digest(manifest)}"):
                known, body = True, manifest
            elif self.path.startswith(f"/v2/{NAME}/blobs/"):
                body = blobs.get(self.path.rpartition("/")[2], b"")
                known, kind = bool(body), "application/octet-stream"
            self.send_response(200 if known else 404)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Docker-Content-Digest", digest(body))
            self.end_headers()
            if with_body:
                self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Quiet."""

    with ThreadingHTTPServer(("127.0.0.1", port), Handler) as server:
        print("ready", flush=True)
        server.serve_forever()


if __name__ == "__main__":
    serve(int(sys.argv[1]), sys.argv[2])
