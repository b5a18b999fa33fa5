"""One call for pages: a shell on a server, a shell or the main process of a container, in a terminal on the screen.

Every page imports this, so what draws terminals is loaded only when one is opened.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from komodo_agent.wire.exec import ExecRequest
from komodo_agent.wire.terminals import ContainerRequest, ShellRequest
from komodo_tui.domain.errors import ActError, ReadOnlyError, RefusedError
from komodo_tui.domain.operations import Target
from komodo_tui.domain.text import clean
from komodo_tui.fleet.kept import KeptTerminal, check_one_off, keeps_shells, keeps_terminals
from komodo_tui.ui.terminal import coming

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual.app import App

    from komodo_tui.fleet.sessions import ByteSession
    from komodo_tui.ui.page import Page
    from komodo_tui.ui.terminal.core import Options
    from komodo_tui.ui.terminal.terminal import Keeper, OpenSession, Terminal

TALL = 30
"""Rows from which a new terminal opens in the drawer and leaves the list in sight; below, on its own page."""
PAGE = "terminals"
_ENVIRONMENT = {"TERM": "xterm-256color", "COLORTERM": "truecolor"}


def open_server_shell(page: Page, server: str, *, command: Sequence[str] = ()) -> None:
    """A login shell on a server, or another command. Errors are shown by the shell of the page."""
    link = page.runtime.fleet.link(server)
    live = page.runtime.fleet.state.servers.get(server)
    target = Target(server=server)
    if live is not None and keeps_shells(live.hello):
        kept = KeptTerminal(link, server, ShellRequest(command=tuple(command)))
        _open(page, kept.open, target, command=clean(" ".join(command)) or "login shell", keeper=kept)
        return
    if command:
        page.shell.work(_refuse_command(server))
        return

    async def open_session(cols: int, rows: int) -> ByteSession:
        return await link.shell(cols, rows)

    _open(page, open_session, target, command="login shell")


def open_container_shell(
    page: Page, server: str, container: str, name: str, *, command: Sequence[str] = (), attach: bool = False,
    fresh: bool = False,
) -> None:  # fmt: skip
    """A shell in a container (bash, else ash, else sh), another command, or its main process.

    ``container`` is the id, ``name`` what people call it; ``fresh`` runs the command in a new one like it. Errors are
    shown by the shell of the page.
    """
    link = page.runtime.fleet.link(server)
    target = Target(server=server, name=clean(name), id=container)
    title = str(target)
    what = "attached" if attach else ("new: " if fresh else "") + (" ".join(command) or "shell")
    live = page.runtime.fleet.state.servers.get(server)
    if fresh:
        try:
            check_one_off(live.hello if live is not None else None, server)
        except ActError as error:
            page.shell.show_error(error)
            return
    environment = {} if attach else _ENVIRONMENT
    if live is not None and keeps_terminals(live.hello):
        process = ExecRequest(
            container=container, otherwise=name, command=tuple(command), environment=environment, attach=attach,
            fresh=fresh,
        )  # fmt: skip
        kept = KeptTerminal(link, title, ContainerRequest(process=process))
        _open(page, kept.open, target, command=clean(what), keeper=kept, attached=attach)
        return

    async def open_session(cols: int, rows: int) -> ByteSession:
        client = await link.client()
        request = ExecRequest(
            container=container, otherwise=name, command=tuple(command), tty=True, rows=rows, cols=cols,
            attach=attach, environment=environment,
        )  # fmt: skip
        return await client.exec(request, title)

    _open(page, open_session, target, command=clean(what), attached=attach)


async def _refuse_command(server: str) -> None:
    hint = "open a shell there and run it in that; an agent installed as the user we log in as can run it"
    raise RefusedError(f"{server}: the agent there runs as another user, or is too old to run a command", hint=hint)


async def toggle_drawer(app: App[Any], *, take_clipboard: bool) -> None:
    """Show the drawer, give it the keys, or hide it."""
    from komodo_tui.ui.terminal.deck import open_drawer

    coming.count(app, 1)
    try:
        await open_drawer(app, take_clipboard=take_clipboard, toggle=True)
    finally:
        coming.count(app, -1)


def _open(
    page: Page, open_session: OpenSession, target: Target, *, command: str, keeper: Keeper | None = None,
    attached: bool = False,
) -> None:  # fmt: skip
    coming.count(page.app, 1)  # now, not when the task begins: what is typed next is meant for it

    async def show() -> None:
        try:
            await _show(page, open_session, target, command, keeper, attached=attached)
        finally:
            coming.count(page.app, -1)

    page.shell.work(show())


async def _show(
    page: Page, open_session: OpenSession, target: Target, command: str, keeper: Keeper | None, *, attached: bool
) -> None:
    if page.runtime.settings.read_only:
        raise ReadOnlyError(f"no terminal was opened on {target}", hint="read-only mode is on")
    from komodo_tui.ui.terminal.manager import MAX_OPEN, TooManyTerminalsError, manager_of
    from komodo_tui.ui.terminal.noted import Noted

    manager = manager_of(page.app)
    manager.options = _options(page)
    noted = Noted(page.runtime.executor, page.runtime.actor, target, command, open_session)
    try:
        terminal = manager.open(noted.open, str(target), target=str(target), command=command, keeper=keeper)
    except TooManyTerminalsError:
        raise RefusedError(f"{MAX_OPEN} terminals are open", hint="close some with ^] x") from None
    noted.terminal, terminal.attached = terminal, attached
    await _bring_up(page, terminal)


def _options(page: Page) -> Options:
    """As the settings and the theme want new terminals."""
    from komodo_tui.ui.terminal.core import Options

    palette, rows = page.shell.look.palette, page.runtime.settings.terminal.scrollback
    colors = palette.color("foreground"), palette.color("background")
    if any(color.ansi is not None for color in colors):  # the person's terminal alone knows them
        return Options(history=rows)
    foreground, background = (color.r << 16 | color.g << 8 | color.b for color in colors)
    return Options(history=rows, foreground=foreground, background=background)


async def _bring_up(page: Page, terminal: Terminal) -> None:
    if page.app.size.height >= TALL:
        from komodo_tui.ui.terminal.deck import open_drawer

        await open_drawer(page.app, take_clipboard=page.runtime.settings.terminal.clipboard)
    else:
        page.shell.go(PAGE)
