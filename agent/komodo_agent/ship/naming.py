"""Which layer of an image an entry of the engine's archive is, known before its bytes have come. Pure.

Engines from 25 on name a layer's file by the digest of its content. Older ones name its folder by a digest over the
layer's description and the digest of its chain, and put the description (``json``) before the bytes (``layer.tar``):
the chain whose digest gives the folder's name is the layer. The rule is the engine's own (``image/v1``, CreateID).
"""

from __future__ import annotations

import hashlib
import json
import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

_BLOB = re.compile(r"blobs/sha256/([0-9a-f]{64})")
_OLD = re.compile(r"([0-9a-f]{64})/(json|layer\.tar)")
_CONFIG = re.compile(r"([0-9a-f]{64})\.json")
# What Go's JSON writer escapes and Python's does not.
_ESCAPES = {"&": "\\u0026", "<": "\\u003c", ">": "\\u003e", "\u2028": "\\u2028", "\u2029": "\\u2029"}


def chains(layers: Sequence[str]) -> list[str]:
    """The chain digest of each layer, which stands for it and all below it (OCI image specification, ChainID)."""
    found: list[str] = []
    for layer in layers:
        found.append(f"sha256:{_hex(f'{found[-1]} {layer}'.encode())}" if found else layer)
    return found


class Namer:
    """Tells the entries of one image's archive apart."""

    def __init__(self, image: str, layers: Sequence[str]) -> None:
        """``image`` is its id, ``layers`` the digests of its layers, lowest first."""
        self._image = image.removeprefix("sha256:")
        self._layers = list(layers)
        self._chains = chains(layers)
        self._known: dict[str, str] = {}

    def is_config(self, name: str) -> bool:
        """Whether this file is the image's configuration."""
        match = _CONFIG.fullmatch(name) or _BLOB.fullmatch(name)
        return match is not None and match.group(1) == self._image

    def is_description(self, name: str) -> bool:
        """Whether this file describes the layer that follows it: give it to :meth:`describe`."""
        match = _OLD.fullmatch(name)
        return match is not None and match.group(2) == "json"

    def describe(self, name: str, body: bytes) -> None:
        """Take a description."""
        folder = name.partition("/")[0]
        if layer := self._described(folder, body):
            self._known[folder] = layer

    def layer(self, name: str) -> str | None:
        """The digest of the layer in this file; empty where it is one that is not known, None where it is none."""
        blob = _BLOB.fullmatch(name)
        if blob is not None:
            digest = f"sha256:{blob.group(1)}"
            return digest if digest in self._layers else None
        old = _OLD.fullmatch(name)
        if old is None or old.group(2) != "layer.tar":
            return None
        return self._known.get(old.group(1), "")

    def _described(self, folder: str, body: bytes) -> str:
        try:
            document = json.loads(body)
        except ValueError:
            return ""
        if not isinstance(document, dict):
            return ""
        document.pop("id", None)
        parent = document.pop("parent", None)
        if parent:
            document["parent"] = f"sha256:{parent}"
        without = {key: value for key, value in document.items() if key != "os"}
        for candidate in (without, document):  # only the uppermost layer's has "os" when the digest is made
            for layer, chain in zip(self._layers, self._chains, strict=True):
                if _hex(_as_go({**candidate, "layer_id": chain})) == folder:
                    return layer
        return ""


def _as_go(document: dict[str, Any]) -> bytes:
    text = json.dumps(dict(sorted(document.items())), separators=(",", ":"), ensure_ascii=False)
    for plain, escaped in _ESCAPES.items():
        text = text.replace(plain, escaped)
    return text.encode()


def _hex(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
