"""Commands of the user's own in a terminal: those of ``config.yaml`` where their tags fit, and one typed for once."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from komodo_tui.domain.operations import CommandOperation, Plan, PlanStep
from komodo_tui.domain.text import clean
from komodo_tui.ui.modals.menu import MenuItem
from komodo_tui.ui.terminal.open import open_container_shell, open_server_shell

if TYPE_CHECKING:
    from collections.abc import Sequence

    from komodo_tui.domain.operations import Target
    from komodo_tui.domain.settings import Command, Settings
    from komodo_tui.ui.page import Page

_MARK = "own:"
_ASK, _ASK_NEW = "own:ask", "own:new"


def own_items(settings: Settings, target: Target | None, tags: Sequence[str], *, runs: bool = True) -> list[MenuItem]:
    """What a menu of acts offers beside its own: for a container, or a server where the target has no name.

    ``runs``: the container can be entered.
    """
    refused = "read-only mode is on" if settings.read_only else "" if target is not None else "nothing is chosen"
    why = refused or ("" if runs else "it does not run")
    items = [
        MenuItem(f"{_MARK}{number}", clean(command.name), "", clean(shlex.join(command.command)), why)
        for number, command in enumerate(settings.commands)
        if target is not None and _fits(command, target, tags)
    ]
    items.append(MenuItem(_ASK, "run…", "!", "one command, in a terminal", why))
    if target is not None and target.name:
        help = "one command, in a container made like it"
        items.append(MenuItem(_ASK_NEW, "run in a new one…", "+", help, refused))
    return items


def is_own(item: str) -> bool:
    """Whether the item picked is one of :func:`own_items`."""
    return item.startswith(_MARK)


async def run_own(page: Page, item: str, target: Target) -> None:
    """Do what was picked: ask what has to be asked, then run it in a terminal."""
    if item in (_ASK, _ASK_NEW):
        words = await _ask_words(page, target, new=item == _ASK_NEW)
        if words:
            _open(page, target, words, fresh=item == _ASK_NEW)
        return
    command = page.runtime.settings.commands[int(item.removeprefix(_MARK))]
    if not (command.confirm or command.dangerous) or await _sure(page, command, target):
        _open(page, target, command.command)


def _fits(command: Command, target: Target, tags: Sequence[str]) -> bool:
    on = "container" if target.name else "server"
    return command.on == on and (not command.tags or not set(command.tags).isdisjoint(tags))


async def _ask_words(page: Page, target: Target, *, new: bool) -> tuple[str, ...]:
    from komodo_tui.ui.modals.form import Field, FormDialog  # late: input fields take long to load

    help = "words as in a shell, without its * and $; sh -c '…' has them"
    field = Field("command", "command", help=help, check=_wrong)
    where = f"a new container like {target}" if new else str(target)
    values = await page.shell.ask(FormDialog(f"Run in {where}", [field], verb="run"))
    return () if values is None else tuple(shlex.split(values["command"]))


def _wrong(line: str) -> str:
    try:
        return "" if shlex.split(line) else "a command is needed"
    except ValueError as error:
        return str(error).lower()


async def _sure(page: Page, command: Command, target: Target) -> bool:
    from komodo_tui.ui.modals.confirm import ConfirmDialog

    phrase = (target.name or target.server) if command.dangerous else ""
    step = PlanStep(
        target=target, text=f"{clean(command.name)} in {target}", command=clean(shlex.join(command.command))
    )
    plan = Plan(
        operation=CommandOperation(verb="exec", targets=(target,), command=command.command),
        title=f"Run {clean(command.name)} in {target}", verb="run", steps=(step,),
        confirm="type" if command.dangerous else "yes", phrase=phrase,
    )  # fmt: skip
    answer: bool | str | None = await page.shell.ask(ConfirmDialog(plan))
    return bool(answer)


def _open(page: Page, target: Target, words: tuple[str, ...], *, fresh: bool = False) -> None:
    if target.name:
        open_container_shell(page, target.server, target.id, target.name, command=words, fresh=fresh)
    else:
        open_server_shell(page, target.server, command=words)
