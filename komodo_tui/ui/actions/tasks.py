"""What the page does beyond showing: export, check of the chain, copy. Each runs as a task of the app."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from komodo_tui.domain.errors import RefusedError
from komodo_tui.domain.text import clean
from komodo_tui.domain.units import count_text
from komodo_tui.ui.actions.export import json_line, write_lines
from komodo_tui.ui.actions.reading import matching
from komodo_tui.ui.modals.error import ErrorDialog
from komodo_tui.ui.modals.form import Field, FormDialog
from komodo_tui.ui.modals.menu import MenuDialog, MenuItem
from komodo_tui.ui.modals.report import ReportDialog

if TYPE_CHECKING:
    from collections.abc import Sequence

    from komodo_tui.ui.actions.finding import Find
    from komodo_tui.ui.runtime import Runtime
    from komodo_tui.ui.shell import Shell


async def export_to_file(runtime: Runtime, shell: Shell, find: Find, marked: Sequence[str], suggested: Path) -> None:
    """Ask where, and write the acts that pass (or the marked ones) there.

    Raises:
        KomodoError: the file cannot be written, or the history cannot be read.
    """
    what = count_text(len(marked), "marked action") if marked else (
        "All actions that pass the filter" if find else "All actions"
    )  # fmt: skip
    asked = FormDialog(
        "Export actions", [Field("path", "file", value=str(suggested), check=wrong_path, help="readable by you alone")],
        verb="write", intro=f"{what}, as JSON lines.",
    )  # fmt: skip
    values = await shell.ask(asked)
    if not values:
        return
    path = _path(values["path"])
    replace = False
    if await asyncio.to_thread(path.exists):
        items = [MenuItem("replace", "replace it", "r", "what is in it is lost"), MenuItem("", "keep it", "n")]
        replace = await shell.ask(MenuDialog(f"{clean(path.name)} is there already", items)) == "replace"
        if not replace:
            shell.flash("nothing was written", "dim")
            return
    shell.flash(f"writing {clean(str(path))}", "busy")
    stop = threading.Event()
    history = runtime.history
    records = (history.get(action) for action in marked) if marked else matching(history, find, None, stop)
    try:
        count = await asyncio.to_thread(write_lines, path, records, replace=replace)
    finally:
        stop.set()
    shell.flash(f"{shell.look.glyphs.done} {count_text(count, 'action')} written to {clean(str(path))}", "ok")


def _path(text: str) -> Path:
    return Path(text.strip()).expanduser()


def wrong_path(text: str) -> str:
    """What is wrong with the name of a file to write; empty when nothing is."""
    if not text.strip():
        return "a file is needed"
    path = _path(text)
    if path.is_dir():
        return "this is a folder"
    return "" if path.parent.is_dir() else f"there is no folder {clean(str(path.parent))}"


async def verify_chain(runtime: Runtime, shell: Shell) -> None:
    """Check every row of the history, and show what was found.

    Raises:
        StoreError: the history cannot be read.
    """
    shell.flash("checking every row of the history", "busy")
    report = await asyncio.to_thread(runtime.history.verify)
    if report.ok:
        shell.flash(f"{shell.look.glyphs.done} the history is unbroken", "ok")
        pairs = [("rows", f"{report.rows}"), ("files", f"{report.files}"), ("head", report.head)]
        hint = (
            "Keep a copy of the head elsewhere (c copies it): a history that does not hold it any more "
            "has been written anew."
        )
        await shell.ask(
            ReportDialog("Chain of the history", "Every row is as it was written, none is missing.", pairs,
                         hint=hint, copied=(report.head, "head"), copy=shell.copy)
        )  # fmt: skip
        return
    folder = clean(str(runtime.state_dir.history))
    detail = f"{report.rows} rows in {count_text(report.files, 'file')} were read up to there."
    hint = (
        f"Copy {folder} as it is before anything else is done, and compare it with a backup: the rows before this "
        "place can be trusted, those after it cannot. New acts are still written. A failing disk breaks a chain too: "
        "look at the kernel's log."
    )
    await shell.ask(
        ErrorDialog("The history is broken", clean(report.broken), hint=hint, detail=detail, copy=shell.copy)
    )


async def copy_part(runtime: Runtime, shell: Shell, action: str) -> None:
    """Ask what to copy of an act, and copy it.

    Raises:
        KomodoError: the history cannot be read, or there is nothing of that kind.
    """
    record = await asyncio.to_thread(runtime.history.get, action)
    commands = "\n".join(command for step in record.steps for command in step.commands)
    output = "\n".join(step.output.rstrip("\n") for step in record.steps if step.output)
    targets = " ".join(str(target) for target in record.targets)
    parts = {
        "commands": (commands, "commands", "c"), "targets": (targets, "targets", "t"), "id": (record.id, "id", "i"),
        "output": (output, "output", "o"), "why": (record.summary, "reason", "w"),
        "json": (json_line(record).decode().rstrip(), "everything as JSON", "j"),
    }  # fmt: skip
    items = [
        MenuItem(name, label, key, disabled="" if text else "there is none")
        for name, (text, label, key) in parts.items()
    ]
    picked = await shell.ask(MenuDialog("Copy", items))
    if not picked:
        return
    text, label, _ = parts[picked]
    if not text:
        raise RefusedError(f"the action has no {label}")
    shell.copy(clean(text, keep_newlines=True), label)
