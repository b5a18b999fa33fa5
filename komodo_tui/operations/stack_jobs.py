"""Operations on stacks as the history keeps them, and what they lock."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import msgspec

from komodo_agent.wire.compose import ComposeAct, ComposeDeploy, ComposeRollback, StackFile
from komodo_agent.wire.compose_files import ComposeWrite

if TYPE_CHECKING:
    from collections.abc import Mapping

    from komodo_agent.wire.compose import ComposePreview
    from komodo_tui.domain.single import DefineDeploymentOperation
    from komodo_tui.domain.stacks import DefineStackOperation, StackOperation, StackSpec


def stack_locks(operation: StackOperation) -> list[str]:
    """One act at a time on each project of each server."""
    return [f"stack {target.server} {target.project}" for target in operation.targets]


def stack_as_written(operation: StackOperation, hidden: str) -> StackOperation:
    """Without values, and with digests in place of file contents: these are kept by the server's revisions."""
    targets = tuple(
        msgspec.structs.replace(
            target, spec=_spec(target.spec, hidden), preview=_preview(target.preview) if target.preview else None
        )
        for target in operation.targets
    )
    return msgspec.structs.replace(operation, targets=targets)


def definition_as_written(operation: DefineStackOperation, hidden: str) -> DefineStackOperation:
    """Without the environment's values."""
    if operation.definition is None:
        return operation
    stack = operation.definition
    return msgspec.structs.replace(
        operation,
        definition=msgspec.structs.replace(
            stack,
            environment=_masked(stack.environment, hidden),
            per_server={server: _masked(values, hidden) for server, values in stack.per_server.items()},
            compose=_digest(stack.compose) if stack.compose else "",
            attached={path: _digest(content) for path, content in stack.attached.items()},
        ),
    )


def deployment_as_written(operation: DefineDeploymentOperation, hidden: str) -> DefineDeploymentOperation:
    """Without the environment's values."""
    found = operation.definition
    if found is None:
        return operation
    per_server = {server: _masked(values, hidden) for server, values in found.per_server.items()}
    shown = msgspec.structs.replace(found, environment=_masked(found.environment, hidden), per_server=per_server)
    return msgspec.structs.replace(operation, definition=shown)


def _spec(spec: StackSpec, hidden: str) -> StackSpec:
    if isinstance(spec, ComposeDeploy):
        source = spec.source
        shown: dict[str, Any] = {
            "files": tuple(StackFile(path=f.path, content=_digest(f.content)) for f in source.files),
            "environment": _masked(source.environment, hidden),
            "templates": _masked(source.templates, hidden),
        }
        return msgspec.structs.replace(
            spec,
            source=msgspec.structs.replace(source, **shown),
            logins=_masked(spec.logins, hidden),
            fallback=None if spec.fallback is None else _masked(spec.fallback, hidden),
        )
    if isinstance(spec, ComposeWrite):
        return msgspec.structs.replace(spec, content=_digest(spec.content))
    if isinstance(spec, ComposeAct):
        return msgspec.structs.replace(spec, logins=_masked(spec.logins, hidden))
    if isinstance(spec, ComposeRollback):
        return msgspec.structs.replace(spec, environment=_masked(spec.environment, hidden))
    return spec


def _preview(preview: ComposePreview) -> ComposePreview:
    files = tuple(msgspec.structs.replace(change, before="", after="") for change in preview.files)
    return msgspec.structs.replace(preview, files=files, last_good_templates={})


def _masked(values: Mapping[str, str], hidden: str) -> dict[str, str]:
    return dict.fromkeys(values, hidden)


def _digest(content: str) -> str:
    return f"sha256:{hashlib.sha256(content.encode('utf-8', 'surrogatepass')).hexdigest()[:16]}"
