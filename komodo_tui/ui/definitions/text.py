"""A definition as a text of its own, as people write it and as the editor reads it back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from komodo_tui.domain.errors import UsageError
from komodo_tui.store.fleet_files import FleetFile
from komodo_tui.store.yaml_files import parse_yaml
from komodo_tui.store.yaml_text import yaml_text

if TYPE_CHECKING:
    from collections.abc import Iterable


def definition_text(
    plural: str, definition: msgspec.Struct, usual: msgspec.Struct, *, shown: Iterable[str], long: Iterable[str] = ()
) -> str:
    """Its YAML under ``plural``, without what is as in ``usual`` anyway.

    Fields of ``shown`` stand there in any case; those of ``long`` come last, for they may fill screens.
    """
    plain: dict[str, Any] = msgspec.to_builtins(definition)
    other: dict[str, Any] = msgspec.to_builtins(usual)
    kept = {key: value for key, value in plain.items() if key in shown or value != other[key]}
    last = {key: kept.pop(key) for key in long if key in kept}
    return yaml_text({plural: [{**kept, **last}]})


def read_one(text: str, plural: str, example: str) -> Any:
    """The one definition of a text, of the kind that ``plural`` is a key of in fleet files.

    Raises:
        UsageError: the text is no such file, or has none or several; ``example`` (``name: …``) is then shown.
    """
    found = getattr(parse_yaml(text.encode("utf-8", "surrogateescape"), FleetFile, name="text"), plural)
    if len(found) != 1:
        raise UsageError(f"there are {len(found)} {plural}", hint=f"one: {plural}: [{{{example}}}]")
    return found[0]
