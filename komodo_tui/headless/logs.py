"""``logs``: the logs of some containers as one, in order of time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from komodo_tui.domain.errors import ExitCode
from komodo_tui.domain.moments import parse_moment
from komodo_tui.domain.text import clean
from komodo_tui.headless.session import not_reached, pick, servers_of
from komodo_tui.headless.tables import cells
from komodo_tui.operations.log_batch import SourceCaughtUp, SourceEnded
from komodo_tui.operations.logs import LogOptions, LogTarget, MergedLogs

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

    from komodo_tui.headless.output import Output
    from komodo_tui.headless.session import Runtime, Session
    from komodo_tui.operations.logs import LogBatch, LogLine

_COLOURS = ("36", "33", "32", "35", "34")
_QUIET_ENDS = frozenset({"complete", "stopped", "removed"})


class LineRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A line of ``logs --json``."""

    time: str
    server: str
    container: str
    stream: str
    text: str


async def logs(session: Session) -> int:
    """Print, and follow where asked. Notices (lost and found servers, gaps) go to standard error."""
    arguments = session.arguments
    options = _options(arguments)
    async with session.fleet(lambda known: servers_of(arguments.containers, arguments, known)) as runtime:
        targets = _targets(runtime, arguments.containers)
        format_line = _json if session.out.json else _text(session.out, targets, times=arguments.timestamps)
        ended: dict[str, SourceEnded] = {}
        async with MergedLogs(lambda name: runtime.fleet.link(name).client(), targets, options) as merged:
            async for batch in merged:
                _print(session.out, batch, format_line)
                ended.update((event.tag, event) for event in batch.events if isinstance(event, SourceEnded))
    bad = sum(event.error for event in ended.values())
    if bad == len(targets):
        return ExitCode.FAILED
    return ExitCode.PARTLY_FAILED if bad else ExitCode.DONE


def _options(arguments: argparse.Namespace) -> LogOptions:
    def moment(text: str) -> str:
        return f"{parse_moment(text):.9f}" if text else ""

    return LogOptions(
        tail=arguments.tail,
        since=moment(arguments.since),
        until=moment(arguments.until),
        follow=arguments.follow,
    )


def _targets(runtime: Runtime, words: list[str]) -> list[LogTarget]:
    """The containers. Those of a server that was lost since it was seen cannot be read."""
    rows = pick(runtime, words)
    servers = runtime.fleet.state.servers
    away = [servers[name] for name in dict.fromkeys(server for server, _ in rows) if not servers[name].live]
    if away:
        raise not_reached("its logs cannot be read", away)
    return [LogTarget(server=server, container=c.id, name=c.name) for server, c in rows]


def _print(out: Output, batch: LogBatch, format_line: Callable[[LogLine], str]) -> None:
    lines = [format_line(line) for line in batch.lines()]
    if lines:
        out.write("".join(lines))
        out.flush()
    for event in batch.events:
        if isinstance(event, SourceCaughtUp) or (isinstance(event, SourceEnded) and event.reason in _QUIET_ENDS):
            continue
        out.say(f"komodo-tui: {event.message}")


def _json(line: LogLine) -> str:
    record = LineRecord(
        time=line.time, server=line.server, container=line.container, stream=line.stream,
        text=clean(line.text.decode("utf-8", "replace"), keep_newlines=True),
    )  # fmt: skip
    return msgspec.json.encode(record).decode() + "\n"


def _text(out: Output, targets: list[LogTarget], *, times: bool) -> Callable[[LogLine], str]:
    """Lines with the container before them where there are several, in its colour; SGR only where colours go."""
    colour = out.colour
    reset = "\x1b[0m" if colour else ""
    labels = {(target.server, target.name): target.label for target in targets}
    width = max(cells(label) for label in labels.values())
    prefixes = {}
    for index, (key, label) in enumerate(labels.items()):
        padded = f"{clean(label)}{' ' * (width - cells(label))} | "
        code = _COLOURS[index % len(_COLOURS)]
        prefixes[key] = f"\x1b[{code}m{padded}{reset}" if colour else padded
    if len(targets) == 1:
        prefixes = dict.fromkeys(prefixes, "")

    def format_line(line: LogLine) -> str:
        text = clean(line.text.decode("utf-8", "replace"), keep_sgr=colour, keep_newlines=True)
        end = f"{reset}\n" if "\x1b" in text else "\n"
        time = f"{line.time} " if times else ""
        return f"{prefixes[line.server, line.container]}{time}{text}{end}"

    return format_line
