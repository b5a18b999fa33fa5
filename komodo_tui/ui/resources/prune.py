"""Pruning with a look first: what would go, how much that frees, and what of it stays after all."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, ClassVar

from rich.text import Text
from textual import on
from textual.binding import Binding, BindingType
from textual.widgets import Button, SelectionList, Static
from textual.widgets.selection_list import Selection

from komodo_tui.domain.durations import parse_duration
from komodo_tui.domain.resources import PruneRule, ResourceOperation, prunable, target_of
from komodo_tui.domain.units import bytes_text, count_text, duration_text
from komodo_tui.ui.modals.base import Dialog, button
from komodo_tui.ui.modals.form import Field, FormDialog
from komodo_tui.ui.resources.flows import checker, servers_wrong

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from textual.app import ComposeResult

    from komodo_agent.wire.resources import Resource
    from komodo_tui.domain.operations import ActionRecord
    from komodo_tui.domain.resources import ResourceTarget
    from komodo_tui.fleet.live import FleetState
    from komodo_tui.ui.modals.form import Values
    from komodo_tui.ui.resources.book import Book
    from komodo_tui.ui.shell import Shell

_IMAGES = (
    ("dangling", "that have no tag any more"), ("unused", "that no container uses"), ("none", "none"),
)  # fmt: skip


async def prune(shell: Shell, state: FleetState, book: Book, server: str, done: Callable[[ActionRecord], None]) -> None:
    """Ask what may go, measure, show it, and remove what is left marked."""
    values = await shell.ask(FormDialog("Prune: what may go", _fields(state, server), verb="look"))
    if values is None:
        return
    servers = str(values["servers"]).split()
    shell.flash(f"measuring {', '.join(servers)}", "busy")
    found = await _candidates(book, servers, _rule(values), shell.now())
    for name in servers:
        problem = book.listing(name).problem or book.listing(name).usage_problem
        if problem:
            shell.flash(f"{name}: {problem}", "warn")
    if not found:
        shell.flash("nothing there fits that: nothing to remove", "ok")
        return
    picked = await shell.ask(PruneDialog(found, shell.now()))
    if not picked:
        return
    record = await shell.acts.run(ResourceOperation(verb="prune", targets=tuple(picked)))
    if record is not None:
        done(record)


def _fields(state: FleetState, server: str) -> list[Field]:
    names = tuple(state.servers)
    return [
        Field("servers", "servers", value=server, suggestions=names, check=lambda text: servers_wrong(text, state),
              help=f"one or more, parted by spaces: {' '.join(names)[:60]}"),
        Field("images", "images", "choice", value="dangling", choices=_IMAGES),
        Field("networks", "networks", "bool", value=False, help="those that no container is in"),
        Field("volumes", "volumes", "bool", value=False, help="those that no container uses: their data is lost"),
        Field("keep", "keep label", help="what has it stays; several, parted by spaces: keep team=db"),
        Field("age", "older than", check=checker(parse_duration), help="like 36h or 7d; empty: any age"),
    ]  # fmt: skip


def _rule(values: Values) -> PruneRule:
    return PruneRule(
        images=values["images"],
        networks=bool(values["networks"]),
        volumes=bool(values["volumes"]),
        keep_labels=tuple(str(values["keep"]).split()),
        older_than=parse_duration(str(values["age"])),
    )


async def _candidates(
    book: Book, servers: Sequence[str], rule: PruneRule, now: float
) -> list[tuple[Resource, ResourceTarget]]:
    """What the rule picks on these servers, by what they say now, with what it frees."""
    await asyncio.gather(*(book.listed(name) for name in servers), *(book.measured(name) for name in servers))
    found = []
    for name in servers:
        listing = book.listing(name)
        if listing.problem:
            continue
        spaces = {(i.kind, i.id): i.freed for i in listing.usage.items} if listing.usage else {}
        for resource in prunable(listing.resources, rule, now):
            freed = spaces.get((resource.kind, resource.id))
            found.append((resource, target_of(name, resource, freed=freed)))
    return found


class PruneDialog(Dialog[list["ResourceTarget"]]):
    """What would go, one a line; Space keeps one. Its result is what is still marked."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("j", "cursor(1)", "down", show=False, id="prune.down"),
        Binding("k", "cursor(-1)", "up", show=False, id="prune.up"),
        Binding("ctrl+s,f2", "go_on", "go on", id="prune.go_on", priority=True),
        Binding("asterisk", "toggle_all", "all or none", key_display="*", id="prune.toggle_all"),
    ]  # fmt: skip
    DEFAULT_CSS = """
    PruneDialog > .dialog { width: 92; }
    PruneDialog SelectionList { height: auto; max-height: 60vh; border: none; padding: 0; background: $surface; }
    """

    def __init__(self, found: Sequence[tuple[Resource, ResourceTarget]], now: float) -> None:
        super().__init__("What would go")
        self._found = tuple(found)
        self._now = now
        self._goes = [True] * len(self._found)

    def body(self) -> ComposeResult:
        """The sum, and the lines."""
        yield self.text("", "bold", id="sum")
        yield SelectionList[int](
            *(Selection(self._line(*pair), number, True) for number, pair in enumerate(self._found)), compact=True
        )

    def _line(self, resource: Resource, target: ResourceTarget, *, goes: bool = True) -> Text:
        style = self.look_now.palette.style
        age = duration_text(self._now - resource.created) if resource.created else "-"
        size = bytes_text(target.size) if target.size is not None else "-"
        return Text.assemble(
            ("goes   " if goes else "stays  ", style("" if goes else "ok")),
            (f"{resource.kind:<8}", style("warn" if resource.kind == "volume" else "dim")), f"{size:>6} ",
            (f"{age:>5}  ", style("dim")), target.label, (f"@{target.server}", style("dim")),
            no_wrap=True, overflow="ellipsis",
        )  # fmt: skip

    def buttons(self) -> list[Button]:
        """No, and the plan of what is marked."""
        return [button("cancel", "no"), button("go on (^S)", "go", "primary")]

    def on_mount(self) -> None:
        """Say how much it is."""
        self.query_one(SelectionList).focus()
        self.query_one(".dialog").border_subtitle = Text(" Space keeps one, * all ")
        self._sum_up()

    def _picked(self) -> list[ResourceTarget]:
        return [self._found[number][1] for number in sorted(self.query_one(SelectionList).selected)]

    @on(SelectionList.SelectedChanged)
    def _sum_up(self) -> None:
        picked = self._picked()
        lines, going = self.query_one(SelectionList), {id(target) for target in picked}
        for number, (resource, target) in enumerate(self._found):
            goes = id(target) in going
            if goes is not self._goes[number]:
                self._goes[number] = goes
                lines.replace_option_prompt_at_index(number, self._line(resource, target, goes=goes))
        volumes = sum(target.kind == "volume" for target in picked)
        # Layers that several of these share are counted for none of them, so it may be more.
        text = f"{count_text(len(picked), 'thing')}, at least {bytes_text(sum(t.size or 0 for t in picked))} freed"
        lost = f"; the data of {count_text(volumes, 'volume')} is lost" if volumes else ""
        style = self.look_now.palette.style("warn" if volumes else "bold")
        self.query_one("#sum", Static).update(Text(f"{text}{lost}", style))
        self.query_one("#go", Button).disabled = not picked

    def action_cursor(self, by: int) -> None:
        """The line below or above."""
        lines = self.query_one(SelectionList)
        if by > 0:
            lines.action_cursor_down()
        else:
            lines.action_cursor_up()

    def action_toggle_all(self) -> None:
        """All of them or none."""
        lines = self.query_one(SelectionList)
        if len(lines.selected) == len(self._found):
            lines.deselect_all()
        else:
            lines.select_all()

    @on(Button.Pressed, "#go")
    def action_go_on(self) -> None:
        """On to the plan."""
        picked = self._picked()
        if picked:
            self.dismiss(picked)

    @on(Button.Pressed, "#no")
    def _no(self) -> None:
        self.dismiss(None)
