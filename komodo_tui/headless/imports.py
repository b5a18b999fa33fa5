"""``import komodo`` and ``import dockge``."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

from komodo_tui.domain.errors import ExitCode, UsageError
from komodo_tui.domain.units import count_text
from komodo_tui.operations.imports.dockge import read_dockge
from komodo_tui.operations.imports.found import Imported
from komodo_tui.operations.imports.komodo import read_komodo
from komodo_tui.store.atomic import write_atomic
from komodo_tui.store.yaml_files import read_content
from komodo_tui.store.yaml_text import yaml_text

if TYPE_CHECKING:
    from komodo_tui.headless.session import Session


async def import_definitions(session: Session) -> int:
    """Write what others' files come to, as YAML; tell what has no match. Changes no definition."""
    arguments = session.arguments
    found = Imported()
    if arguments.import_verb == "dockge":
        await asyncio.to_thread(read_dockge, Path(arguments.folder), arguments.on, found)
    else:
        for name in _files(arguments.file):
            content = await asyncio.to_thread(read_content, name)
            try:
                read_komodo(content.decode("utf-8", "replace"), str(name), found)
            except UsageError as error:
                if str(name) in arguments.file:
                    raise
                found.note("left out", error.message)  # a folder may have others beside them
    if session.out.json:
        session.out.document({"definitions": found.in_order(), "notes": found.notes})
        return ExitCode.DONE
    await _write(session, yaml_text(found.in_order()) if found.definitions else "{}\n", arguments.output)
    for note in found.notes:
        session.out.say(f"komodo-tui: {note}")
    made = ", ".join(count_text(len(many), plural.removesuffix("s")) for plural, many in found.in_order().items())
    session.out.say(f"komodo-tui: {made or 'nothing'}; {count_text(len(found.notes), 'note')}")
    if arguments.output:
        session.out.say(f"komodo-tui: look at it, then: komodo-tui apply -f {arguments.output}")
    return ExitCode.DONE


def _files(given: list[str]) -> list[Path]:
    """Files as named; of a folder every TOML file below it."""
    found: list[Path] = []
    for name in map(Path, given):
        found += sorted(name.rglob("*.toml")) if name.is_dir() else [name]
    return found


async def _write(session: Session, text: str, path: str) -> None:
    if path:
        await asyncio.to_thread(write_atomic, Path(path), text.encode("utf-8", "surrogateescape"))
        return
    for line in text.splitlines():
        session.out.line(line)
