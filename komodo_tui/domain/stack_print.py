"""A fingerprint of what a stack's definition says of one server: whether it was changed since it was deployed there."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import msgspec

from komodo_tui.domain.stacks import environment_of

if TYPE_CHECKING:
    from komodo_tui.domain.stacks import StackDefinition

_NOT_DEPLOYED = frozenset({
    "description", "tags", "links", "servers", "after", "environment", "per_server", "health", "pull", "revisions",
    "ignore_services",
})  # fmt: skip
"""Fields that change nothing of what runs; the environment is taken as the server has it."""


def definition_print(stack: StackDefinition, server: str) -> str:
    """Another one whenever a deploy there could bring something else. What is as by default does not count in it, so
    that it stays the same when definitions get new fields."""
    usual = {field.name: field.default for field in msgspec.structs.fields(stack)}
    said: dict[str, Any] = {
        name: value
        for name in usual
        if name not in _NOT_DEPLOYED and (value := getattr(stack, name)) and value != usual[name]
    }
    if stack.git is not None:
        said["git"] = {key: value for key, value in msgspec.to_builtins(stack.git).items() if value}
    said["environment"] = environment_of(stack, server)
    return hashlib.sha256(msgspec.json.encode(said, order="sorted")).hexdigest()[:32]
