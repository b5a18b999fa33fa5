"""A build as the parameters of the engine's ``POST /build``. Pure.

Source: https://docs.docker.com/reference/api/engine/ (ImageBuild), and ``builder-next/builder.go`` of moby/moby for
what of it BuildKit takes.
"""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING

import msgspec

from ...problems import AgentError
from ..given import arguments_of, labels_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from ...wire.builds import BuildJob
    from ..files import Files

_LIMITS = (1, 42)
"""The API from which on BuildKit takes limits of shared memory and of what a process may have."""
_SIZE = re.compile(r"(\d+)([bkmg]?)b?", re.IGNORECASE)
_UNITS = {"": 1, "b": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30}
_ULIMIT = re.compile(r"([a-z]+)=(-?\d+)(?::(-?\d+))?")
_HINT = "install docker-buildx on the server, or leave it out"

Parameters = list[tuple[str, str]]


class Extra:
    """The words of ``extra_args`` that the engine's API has, too."""

    def __init__(self, words: Sequence[str], api: tuple[int, int]) -> None:
        """Raises AgentError: ``bad_request``, for a word it has not."""
        self.arguments: dict[str, str] = {}
        self.labels: dict[str, str] = {}
        self.cache_from: list[str] = []
        self.hosts: list[str] = []
        self.ulimits: list[dict[str, object]] = []
        self.single: dict[str, str] = {}
        self._api = api
        takes: dict[str, Callable[[str], None]] = {
            "--build-arg": self._pair(self.arguments), "--label": self._pair(self.labels),
            "--cache-from": self.cache_from.append, "--add-host": self._host, "--network": self._only("networkmode"),
            "--target": self._only("target"), "--platform": self._only("platform"), "--shm-size": self._shared,
            "--ulimit": self._ulimit,
        }  # fmt: skip
        switches = {"--no-cache": "nocache", "--pull": "pull"}
        rest = iter(words)
        for word in rest:
            name, given, value = word.partition("=")
            if name in switches and value in ("", "true", "1"):
                self.single[switches[name]] = "1"
            elif name in takes:
                takes[name](value if given else _next(rest, name))
            else:
                raise AgentError(
                    "bad_request", f"extra argument {word[:80]}: the engine's own BuildKit cannot be told that",
                    hint=_HINT,
                )  # fmt: skip

    def _only(self, key: str) -> Callable[[str], None]:
        def take(value: str) -> None:
            self.single[key] = value

        return take

    @staticmethod
    def _pair(found: dict[str, str]) -> Callable[[str], None]:
        def take(value: str) -> None:
            key, given, text = value.partition("=")
            if not given:
                raise AgentError("bad_request", f"extra argument {value[:80]!r} has no value (NAME=VALUE)")
            found[key] = text

        return take

    def _host(self, value: str) -> None:
        self.hosts.append(value if ":" in value.partition("=")[0] else value.replace("=", ":", 1))

    def _shared(self, value: str) -> None:
        self._limit("--shm-size")
        found = _SIZE.fullmatch(value)
        if not found:
            raise AgentError("bad_request", f"extra argument --shm-size: {value[:40]!r} is no size (like 64m)")
        self.single["shmsize"] = str(int(found[1]) * _UNITS[found[2].lower()])

    def _ulimit(self, value: str) -> None:
        self._limit("--ulimit")
        found = _ULIMIT.fullmatch(value)
        if not found:
            raise AgentError("bad_request", f"extra argument --ulimit: {value[:40]!r} is no limit (like nofile=1024)")
        self.ulimits.append({"Name": found[1], "Soft": int(found[2]), "Hard": int(found[3] or found[2])})

    def _limit(self, name: str) -> None:
        if self._api < _LIMITS:
            version = ".".join(map(str, self._api))
            words = f"extra argument {name}: the BuildKit of this engine (API {version}) cannot be told that"
            raise AgentError("bad_request", words, hint=_HINT)


def check_request(job: BuildJob, api: tuple[int, int]) -> None:
    """Refuse what the engine's own BuildKit cannot do.

    Raises:
        AgentError: ``bad_request``.
    """
    extra = Extra(job.extra, api)
    if len(job.platforms) > 1:
        raise AgentError("bad_request", "several platforms need docker-buildx", hint="install it on the server")
    for source in (*job.cache_from, *extra.cache_from):
        _reference(source)


def parameters(job: BuildJob, files: Files, api: tuple[int, int]) -> Parameters:
    """All but what belongs to the session.

    Raises:
        AgentError: ``bad_request``.
    """
    extra = Extra(job.extra, api)
    single = {"target": job.target, "platform": next(iter(job.platforms), "")}
    single |= {"nocache": "1" if job.no_cache else "", "pull": "1" if job.pull else ""}
    found = [("version", "2"), ("dockerfile", files.dockerfile.name)]
    for key, value in (
        ("buildargs", {**arguments_of(job, files.text), **extra.arguments}),
        ("labels", {**labels_of(job, files.commit), **extra.labels}),
        ("cachefrom", [_reference(source) for source in (*job.cache_from, *extra.cache_from)]),
        ("ulimits", extra.ulimits),
    ):
        if value:
            found.append((key, msgspec.json.encode(value).decode()))
    found += [(key, value) for key, value in {**single, **extra.single}.items() if value]
    return [*found, *(("extrahosts", host) for host in extra.hosts)]


def shown(wanted: Parameters, files: Files) -> str:
    """The question in words, for the log."""
    return shlex.join(["POST", "/build", *(f"{key}={value}" for key, value in wanted), f"context={files.context}"])


def _reference(source: str) -> str:
    """An image that a cache is taken from: the engine takes nothing else, as a plain name."""
    if "=" not in source.partition("@")[0] and "," not in source:
        return source
    options = dict(part.partition("=")[::2] for part in source.split(","))
    if options.get("type") != "registry" or not options.get("ref"):
        raise AgentError(
            "bad_request", f"cache_from {source[:80]}: the engine's own BuildKit takes images only",
            hint="name an image, or install docker-buildx on the server",
        )  # fmt: skip
    return options["ref"]


def _next(words: Iterator[str], name: str) -> str:
    value = next(words, None)
    if value is None:
        raise AgentError("bad_request", f"extra argument {name} has no value")
    return value
