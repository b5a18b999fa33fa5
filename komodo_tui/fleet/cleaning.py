"""The decode boundary: what an agent sent, with nothing left in its text that a terminal would obey."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from komodo_agent.wire.compose import StackFile
from komodo_agent.wire.compose_changes import FileChange
from komodo_agent.wire.compose_files import StackText
from komodo_agent.wire.feed import (
    ContainersChanged,
    EngineChanged,
    FilesystemsChanged,
    JobChanged,
    Processes,
    Samples,
    Snapshot,
)
from komodo_agent.wire.jobs import Job
from komodo_agent.wire.models import Container, ContainerDetail, ContainerSample, History
from komodo_agent.wire.repos import RepoDetail, RepoFile
from komodo_tui.domain.text import clean, clean_container, clean_tree

if TYPE_CHECKING:
    from collections.abc import Callable

    from komodo_agent.wire.feed import FeedMessage

T = TypeVar("T")


def clean_value(value: T) -> T:
    """Any decoded wire value with all its text cleaned; the same object where there was nothing to do."""
    cleaned: T = _clean(value)
    return cleaned


def clean_message(message: FeedMessage) -> FeedMessage:
    """A message of the feed with all its text cleaned."""
    special = _MESSAGES.get(type(message))
    cleaned: FeedMessage = special(message) if special is not None else _clean(message)
    return cleaned


def _clean(value: Any) -> Any:
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, Container):
        return clean_container(value)
    if isinstance(value, ContainerDetail):
        return ContainerDetail(
            container=clean_container(value.container), inspect=clean_tree(value.inspect, keep_newlines=True)
        )
    if isinstance(value, FileChange | StackFile | StackText | RepoFile):
        return msgspec.convert(clean_tree(msgspec.to_builtins(value), keep_newlines=True), type(value))
    if isinstance(value, Job) and "output" in value.result:  # lines of a command, the only text of a job with any
        output = clean(value.result["output"], keep_newlines=True)
        result = {**_clean(value.result), "output": output}
        return msgspec.structs.replace(_clean_struct(value), result=result)
    if isinstance(value, RepoDetail):
        return msgspec.structs.replace(_clean_struct(value), diff=clean(value.diff, keep_newlines=True))
    if isinstance(value, ContainerSample | History):
        return value  # numbers alone; the names of a history's series are looked up, never shown
    if isinstance(value, msgspec.Struct):
        return _clean_struct(value)
    if isinstance(value, tuple):
        return tuple(_clean(item) for item in value)
    if isinstance(value, list):
        return [_clean(item) for item in value]
    if isinstance(value, dict):
        return {_clean(key): _clean(item) for key, item in value.items()}
    return value


def _clean_struct(value: msgspec.Struct) -> msgspec.Struct:
    changes: dict[str, Any] = {}
    for field in value.__struct_fields__:
        old = getattr(value, field)
        if isinstance(old, int | float | bool | None):
            continue
        new = _clean(old)
        if new != old:
            changes[field] = new
    return msgspec.structs.replace(value, **changes) if changes else value


def _clean_samples(message: Samples) -> Samples:
    # Once a second and server, so it costs nothing: samples are numbers, and their keys are only looked up.
    return message if not message.devices else msgspec.structs.replace(message, devices=_clean(message.devices))


def _clean_snapshot(message: Snapshot) -> Snapshot:
    return msgspec.structs.replace(
        message,
        host=_clean(message.host),
        engine=_clean(message.engine),
        containers=tuple(clean_container(c) for c in message.containers),
        filesystems=_clean(message.filesystems),
        jobs=_clean(message.jobs),
    )


def _clean_containers(message: ContainersChanged) -> ContainersChanged:
    return msgspec.structs.replace(message, changed=tuple(clean_container(c) for c in message.changed))


_MESSAGES: dict[type, Callable[[Any], Any]] = {
    Samples: _clean_samples,
    Snapshot: _clean_snapshot,
    ContainersChanged: _clean_containers,
    EngineChanged: _clean_struct,
    FilesystemsChanged: _clean_struct,
    JobChanged: _clean_struct,
    Processes: _clean_struct,
}
