"""The columns of repos and of their clones; a clone as a text. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text

from komodo_tui.domain.filters import parse_text
from komodo_tui.domain.units import duration_text, time_text
from komodo_tui.ui.render.cells import Cell, join
from komodo_tui.ui.render.columns import Column
from komodo_tui.ui.stacks.planning import unified_text

if TYPE_CHECKING:
    from collections.abc import Callable

    from komodo_agent.wire.repos import RepoCommit, RepoDetail
    from komodo_tui.domain.repos import RepoDefinition
    from komodo_tui.ui.look import Look
    from komodo_tui.ui.render.cells import Span
    from komodo_tui.ui.render.glyphs import Glyphs
    from komodo_tui.ui.repos.book import Place, RepoRow

_PUSHES = 5
"""Shown of one repo."""
_ORDER = ("bad", "warn", "dim", "ok")
"""Worst first."""


def _sign(tone: str, glyphs: Glyphs) -> str:
    return {"ok": glyphs.ok, "warn": glyphs.warn, "bad": glyphs.fail}.get(tone, glyphs.stopped)


def head_line(repo: RepoDefinition) -> tuple[Span, ...]:
    """One repo from near: its name, where it comes from, what it follows, and whether it lends the ssh-agent."""
    follows = repo.commit[:12] or repo.branch or "its main branch"
    lends = ((" lends your ssh-agent ", "warn"),) if repo.ssh_agent else ()
    return ((f" {repo.name} ", "title bold"), *lends, (f" {repo.url}", ""), (f"  {follows}", "dim"))


def state_cell(row: RepoRow, glyphs: Glyphs) -> Cell:
    """``● up to date``, and where servers differ, how many stand how."""
    if row.problem:
        return ((f"{glyphs.fail} {row.problem}", "bad"),)
    counts: dict[tuple[str, str], int] = {}
    for place in row.places:
        counts[place.standing] = counts.get(place.standing, 0) + 1
    parts: list[tuple[Span, ...]] = []
    for words, tone in sorted(counts, key=lambda item: _ORDER.index(item[1])):
        number = f"{counts[words, tone]}x " if len(counts) > 1 else ""
        parts.append(((f"{_sign(tone, glyphs)} {number}{words}", tone),))
    return join(parts) or (("-", "dim"),)


_PUSH_TONES = {"pending": "warn", "running": "accent", "done": "ok", "failed": "bad"}


def push_cell(row: RepoRow, glyphs: Glyphs, now: float) -> Cell:
    """``● done 3m``; where nothing was pushed yet, whether anybody looks."""
    if row.seen is not None and row.seen.problem:
        return ((f"{glyphs.fail} no look {duration_text(now - row.seen.since)}", "bad"),)
    if row.pushes:
        newest = row.pushes[0]
        tone = _PUSH_TONES[newest.state]
        return ((f"{_sign(tone, glyphs)} {newest.state}", tone), (f" {duration_text(now - newest.seen)}", "dim"))
    how = " ".join(filter(None, (row.definition.poll, "hook" if row.definition.webhook else "")))
    return ((how or "-", "dim"),)


def push_text(row: RepoRow, look: Look) -> Text:
    """What a push sets off, whether it is looked for, and what became of the newest."""
    style, definition = look.palette.style, row.definition
    text = Text()
    if not (definition.poll or definition.webhook or row.pushes):
        return text
    text.append("Pushes\n", style("accent bold"))
    how = [f"looked for every {definition.poll}"] if definition.poll else []
    how += ["taken from webhooks"] if definition.webhook else []
    acts = ", then ".join(action.text for action in definition.on_push) or "the clones are pulled"
    text.append(f"  {' and '.join(how) or 'not looked for any more'}: {acts}\n", style("dim"))
    if row.seen is not None and row.seen.problem:
        text.append(f"  {look.glyphs.fail} since {time_text(row.seen.since)}: {row.seen.problem}\n", style("bad"))
    for push in row.pushes[:_PUSHES]:
        tone = _PUSH_TONES[push.state]
        text.append(f"  {_sign(tone, look.glyphs)} {push.state:8}", style(tone))
        text.append(f"{push.commit[:8] or push.branch or '-':9}", style("accent"))
        text.append(f"{time_text(push.seen)} {push.source}{f' +{push.count - 1}' if push.count > 1 else ''}  ",
                    style("dim"))  # fmt: skip
        text.append(f"{push.who + ': ' if push.who else ''}{push.subject}\n")
        text.append(f"    {push.note}\n" if push.note else "", style("warn"))
    return text


def _rank(row: RepoRow) -> int:
    tones = ["bad"] if row.problem else [place.standing[1] for place in row.places]
    return min(map(_ORDER.index, tones), default=len(_ORDER))


def _commits(row: RepoRow) -> list[RepoCommit]:
    return [place.state.commit for place in row.places if place.state is not None and place.state.commit is not None]


def _commit_text(row: RepoRow) -> str:
    """The commit that is checked out, or how many different ones are."""
    ids = {commit.id for commit in _commits(row)}
    return "-" if not ids else next(iter(ids))[:8] if len(ids) == 1 else f"{len(ids)} differ"


def _last(row: RepoRow) -> RepoCommit | None:
    return max(_commits(row), key=lambda commit: commit.when, default=None)


def _wanted(row: RepoRow) -> Cell:
    pin = row.definition.commit
    return ((f"@{pin[:7]}", "accent"),) if pin else row.definition.branch or (("(main)", "dim"),)


def repo_columns(glyphs: Glyphs, now: Callable[[], float]) -> tuple[Column[RepoRow], ...]:
    """A repo in a row."""

    def age(row: RepoRow) -> str:
        last = _last(row)
        return duration_text(now() - last.when) if last is not None else "-"

    def message(row: RepoRow) -> Cell:
        last = _last(row)
        return ((f"{last.author}: {last.subject}", "dim"),) if last is not None else ""

    def push(row: RepoRow) -> Cell:
        return push_cell(row, glyphs, now())

    return (
        Column("name", "REPO", 12, lambda r: r.definition.name, key=lambda r: r.definition.name.lower(), grow=2,
               most=32),
        Column("state", "STATE", 26, lambda r: state_cell(r, glyphs), key=_rank, grow=2, most=44),
        Column("push", "PUSH", 13, push, key=lambda r: -r.pushes[0].seen if r.pushes else None, priority=2, grow=1,
               most=22),
        Column("branch", "BRANCH", 8, _wanted, priority=3, grow=1, most=24),
        Column("commit", "COMMIT", 8, _commit_text, priority=1),
        Column("age", "AGE", 4, age, key=lambda r: -last.when if (last := _last(r)) else None, right=True, priority=4),
        Column("servers", "SERVERS", 10, lambda r: " ".join(r.definition.servers), priority=2, grow=1, most=32),
        Column("message", "LAST MESSAGE", 16, message, priority=5, grow=3, most=60),
        Column("url", "URL", 20, lambda r: ((r.definition.url, "dim"),), key=lambda r: r.definition.url, priority=6,
               grow=2),
    )  # fmt: skip


def place_columns(glyphs: Glyphs, now: Callable[[], float]) -> tuple[Column[Place], ...]:
    """A clone in a row."""

    def state(place: Place) -> Cell:
        words, tone = place.standing
        return ((f"{_sign(tone, glyphs)} {words}", tone),)

    def commit(place: Place) -> str:
        return place.state.commit.id[:8] if place.state is not None and place.state.commit is not None else "-"

    def looked(place: Place) -> str:
        fetched = place.state.fetched if place.state is not None else 0.0
        return duration_text(now() - fetched) if fetched else "-"

    return (
        Column("server", "SERVER", 12, lambda p: p.server, key=lambda p: p.server, grow=1, most=28),
        Column("state", "STATE", 30, state, key=lambda p: _ORDER.index(p.standing[1]), grow=2, most=48),
        Column("commit", "COMMIT", 8, commit),
        Column("remote", "REMOTE", 8, lambda p: p.remote[:8] or "-", priority=1),
        Column("looked", "LOOKED", 6, looked, right=True, priority=2),
        Column("path", "FILES", 16, lambda p: ((p.state.path if p.state is not None else "", "dim"),), priority=3,
               grow=2),
    )  # fmt: skip


def clone_text(place: Place, told: RepoDetail | str | None, look: Look) -> Text:
    """Warnings, what a pull would bring, changed files with their differences, the last commits."""
    style = look.palette.style
    text = Text()
    if place.state is None:
        words = place.away or ("B clones it here" if place.known else "asking")
        return Text(words, style("dim"))
    for warning in (place.away, place.state.problem, *place.state.warnings):
        if warning:
            text.append(f"{look.glyphs.warn} {warning}\n", style("warn"))
    if told is None or isinstance(told, str):
        text.append(told or "asking", style("dim"))
        return text
    if told.coming:
        _log(text, f"A pull would bring {told.state.behind}", told.coming, look)
    if told.state.dirty_count:
        text.append(f"Changed here: {told.state.dirty_count}\n", style("accent bold"))
        for file in told.state.dirty:
            text.append(f"  {file.state:2} {file.path}\n", style("warn"))
        hidden = told.state.dirty_count - len(told.state.dirty)
        text.append(f"  and {hidden} more\n" if hidden else "", style("dim"))
        text.append_text(unified_text(told.diff, look))
        text.append("the rest is left out\n" if told.cut else "", style("dim"))
    _log(text, "Last commits", told.log, look)
    return text


def _log(text: Text, title: str, commits: tuple[RepoCommit, ...], look: Look) -> None:
    style = look.palette.style
    text.append(f"{title}\n", style("accent bold"))
    for commit in commits:
        text.append(f"  {commit.id[:8]} ", style("accent"))
        text.append(f"{time_text(commit.when)} {commit.author}  ", style("dim"))
        text.append(f"{commit.subject}\n")


def repo_filter(line: str) -> Callable[[RepoRow], bool]:
    """Repos by words in what their rows show."""
    test = parse_text(line)
    return lambda r: test(
        "\n".join((r.definition.name, r.definition.url, r.definition.branch, r.definition.description,
                   *r.definition.tags, *r.definition.servers, *(p.standing[0] for p in r.places))).lower()
    )  # fmt: skip


def place_filter(line: str) -> Callable[[Place], bool]:
    """Clones by words in what their rows show."""
    test = parse_text(line)
    return lambda place: test(f"{place.server}\n{place.standing[0]}".lower())
