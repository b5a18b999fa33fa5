"""What the keys of the Servers page do: each shows its plan, runs through the executor and is in the history."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from komodo_tui.domain.errors import HostKeyUnknownError, KomodoError
from komodo_tui.domain.operations import ServerOperation
from komodo_tui.domain.servers import ServerDefinition
from komodo_tui.domain.units import count_text
from komodo_tui.ui.modals.menu import MenuDialog, MenuItem
from komodo_tui.ui.servers.standing_dialog import StandingDialog
from komodo_tui.ui.servers.trouble import report

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from komodo_tui.fleet.live import ServerLive
    from komodo_tui.fleet.probe import ServerProbe
    from komodo_tui.ui.runtime import Runtime
    from komodo_tui.ui.shell import Shell

_PATIENCE = 30.0
"""Seconds a new server is watched before the table alone tells of it."""
_PROBE_PATIENCE = 8.0
_KEYS = "abcdefghilmnoprstuvwxyz"


class ServerActs:
    """Runs them for the page; each method begins a task and returns at once."""

    def __init__(self, runtime: Runtime, shell: Shell, show: Callable[[str], None]) -> None:
        """``show`` puts the cursor on the server of a name."""
        self._runtime = runtime
        self._shell = shell
        self._show = show

    # -- definitions --------------------------------------------------------------------------------------------

    def add(self) -> None:
        """Define one more server, then see it through: its key, its agent."""
        self._shell.work(self._add())

    async def _add(self) -> None:
        known, hosts = await asyncio.gather(
            asyncio.to_thread(self._runtime.servers.known), asyncio.to_thread(self._runtime.fleet.ssh_hosts)
        )
        addresses = {definition.address for definition in known.values()}
        new = [host for host in hosts if host not in addresses]
        picked: str | None = ""
        if new:
            picked = await self._pick(new)
        if picked is None:
            return
        from komodo_tui.ui.servers.form import definition_of, name_for, server_form  # late: it loads the input fields

        before = ServerDefinition(name=name_for(picked), address=picked)
        values = await self._shell.ask(server_form(before, new=True, hosts=new, taken=known))
        if values is None:
            return
        definition = definition_of(values, before)
        operation = ServerOperation(verb="add", server=definition.name, definition=definition)
        record = await self._shell.acts.run(operation)
        if record is not None and record.outcome == "success":
            self._show(definition.name)
            await self._see_through(definition.name)

    async def _pick(self, hosts: Sequence[str]) -> str | None:
        items = [MenuItem(":other", "another address…", "N", "any [user@]host[:port]")]
        items += [
            MenuItem(host, host, _KEYS[number] if number < len(_KEYS) else "", "in ~/.ssh/config")
            for number, host in enumerate(hosts)
        ]
        picked = await self._shell.ask(MenuDialog("Add which server?", items))
        return "" if picked == ":other" else picked

    def edit(self, live: ServerLive) -> None:
        """Change a definition."""
        self._shell.work(self._edit(live.definition))

    async def _edit(self, before: ServerDefinition) -> None:
        rev, hosts = await asyncio.gather(
            asyncio.to_thread(self._runtime.servers.revision, before.name),
            asyncio.to_thread(self._runtime.fleet.ssh_hosts),
        )
        from komodo_tui.ui.servers.form import definition_of, server_form  # late: it loads the input fields

        values = await self._shell.ask(server_form(before, new=False, hosts=hosts))
        if values is None:
            return
        after = definition_of(values, before)
        if after == before:
            self._shell.flash("nothing was changed", "dim")
            return
        record = await self._shell.acts.run(ServerOperation(verb="edit", server=before.name, definition=after, rev=rev))
        if record is not None and record.outcome == "success" and after.address != before.address:
            await self._see_through(after.name)

    def remove(self, live: ServerLive) -> None:
        """Forget a server; nothing on it is touched."""
        self._shell.work(self._remove(live.name))

    async def _remove(self, name: str) -> None:
        rev = await asyncio.to_thread(self._runtime.servers.revision, name)
        await self._shell.acts.run(ServerOperation(verb="remove", server=name, rev=rev))

    # -- connections --------------------------------------------------------------------------------------------

    def install(self, servers: Sequence[ServerLive]) -> None:
        """Install or upgrade the agents of these, one after the other."""
        remote = [live.name for live in servers if not live.definition.is_local]
        if not remote:
            self._shell.flash("this machine's agent is part of the program", "dim")
            return
        self._shell.work(self._install(remote))

    async def _install(self, names: Sequence[str]) -> None:
        for name in names:
            try:
                await self._shell.acts.run(ServerOperation(verb="install_agent", server=name), follow=True)
            except KomodoError as error:
                self._shell.show_error(error)  # the others have their turn

    def reconnect(self, servers: Sequence[ServerLive]) -> None:
        """Connect anew, now; when it is one alone, tell how that went."""
        names = [live.name for live in servers]
        for name in names:
            self._runtime.fleet.reconnect(name)
        self._shell.flash(f"connecting to {', '.join(names)}", "busy")
        if len(names) == 1:
            self._shell.work(self._see_through(names[0]))

    def check(self, live: ServerLive) -> None:
        """Look at it, and show how it stands and what helps."""
        self._shell.work(self._attend(live.name))

    async def _see_through(self, name: str) -> None:
        """Wait until it is known how a server stands; show what keeps it from being up."""
        state = self._runtime.fleet.state
        subscription = state.subscribe()
        try:
            async with asyncio.timeout(_PATIENCE):
                while name in state.servers and state.servers[name].status == "connecting":
                    await subscription.wait()
                    subscription.take()
        except TimeoutError:
            self._shell.flash(f"{name}: no answer yet; the table tells when it comes", "warn")
            return
        finally:
            subscription.close()
        live = state.servers.get(name)
        if live is not None and live.live:
            seen = f", {count_text(len(live.containers), 'container')}" if live.engine_live else ""
            self._shell.flash(f"{name} is up{seen}", "ok")
        elif live is not None:
            await self._attend(name)

    async def _attend(self, name: str) -> None:
        live = self._runtime.fleet.state.servers.get(name)
        if live is None:
            return
        probe = await self._probe(live) if live.live or live.status.startswith("agent") else None
        error = live.error  # what is shown is what is accepted, whatever the server shows meanwhile
        shown = report(live, probe, self._shell.now(), self._shell.look.glyphs)
        dialog = StandingDialog(shown, self._shell.copy, read_only=self._runtime.settings.read_only)
        step = await self._shell.ask(dialog)
        if step == "accept":
            await self._accept(name, error)
        elif step == "install":
            await self._install([name])
        elif step == "edit":
            await self._edit(live.definition)
        elif step == "retry":
            self.reconnect([live])

    async def _probe(self, live: ServerLive) -> ServerProbe | None:
        """What a look over SSH finds; the report does without where there is no answer."""
        self._shell.flash(f"looking at {live.name}", "busy")
        try:
            async with asyncio.timeout(_PROBE_PATIENCE):
                return await self._runtime.fleet.link(live.name).probe()
        except (KomodoError, TimeoutError):
            return None

    async def _accept(self, name: str, error: KomodoError | None) -> None:
        if not isinstance(error, HostKeyUnknownError):
            return
        operation = ServerOperation(verb="accept_host_key", server=name, detail=error.fingerprint)
        record = await self._shell.acts.run(operation, asked=True)
        if record is not None and record.outcome == "success":
            await self._see_through(name)
