"""What a push to a repository sets off: as it is defined, as it waits its turn, as the run it becomes. Pure."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from komodo_tui.domain.durations import parse_duration
from komodo_tui.domain.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from komodo_tui.domain.procedures.model import ProcedureDefinition

PushState = Literal["pending", "running", "done", "failed"]
SHORTEST_POLL = 5.0
"""Seconds: more often would be a burden for whoever serves the repository."""
_RUN_NAME = "push."


class OnPush(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """One thing to do after the clones were pulled: exactly one of the first four."""

    deploy: str = ""
    """A stack; left alone where nothing of it has changed."""
    build: str = ""
    """A build."""
    sync: str = ""
    """A sync."""
    procedure: str = ""
    """A procedure; ``{commit}``, ``{branch}`` and ``{repo}`` may stand in its parameters."""
    parameters: dict[str, str] = msgspec.field(default_factory=dict)
    """Of the procedure."""
    paths: tuple[str, ...] = ()
    """Only if one of these files changed: ``site/**``, ``*.yaml``; with ``!`` in front: files that do not count."""

    @property
    def text(self) -> str:
        """``deploy shop``."""
        return next((f"{kind} {name}" for kind, name in self._found), "nothing")

    @property
    def _found(self) -> list[tuple[str, str]]:
        return [(kind, getattr(self, kind)) for kind in ("deploy", "build", "sync", "procedure") if getattr(self, kind)]


class Push(msgspec.Struct, frozen=True, kw_only=True):
    """A push that was seen, and what becomes of it. Those that come while one waits are counted into that one."""

    id: int = 0
    repo: str
    branch: str = ""
    before: str = ""
    """The commit acted on before; empty = not known."""
    commit: str = ""
    """Empty: whoever told of it did not say."""
    source: str = "poll"
    """``poll``, ``hand``, or who told of it: ``github``, ``gitlab``, ``gitea``, ``bitbucket``, ``generic``."""
    delivery: str = ""
    """The id of the newest delivery that told of it."""
    who: str = ""
    subject: str = ""
    seen: float = 0.0
    count: int = 1
    """How many pushes it stands for."""
    state: PushState = "pending"
    run: str = ""
    """The run it became."""
    started: float = 0.0
    ended: float = 0.0
    note: str = ""
    tries: int = 0


class SeenBranch(msgspec.Struct, frozen=True, kw_only=True):
    """What a repo's branch was when it was looked at, or told of, last."""

    repo: str
    url: str
    branch: str
    commit: str = ""
    checked: float = 0.0
    """When a look succeeded last."""
    problem: str = ""
    """Why the newest look failed."""
    since: float = 0.0
    """When that began."""


def check_on_push(where: str, poll: str, actions: Iterable[OnPush]) -> None:
    """Raise UsageError saying what is wrong with what a repo's pushes set off."""
    if poll and parse_duration(poll) < SHORTEST_POLL:
        raise UsageError(f"{where}: poll: {poll!r} is too often", hint=f"{SHORTEST_POLL:g}s or more")
    for number, action in enumerate(actions, 1):
        place = f"{where}: on_push, entry {number}"
        if len(action._found) != 1:
            raise UsageError(f"{place}: name one thing to do", hint="deploy, build, sync or procedure")
        if action.parameters and not action.procedure:
            raise UsageError(f"{place}: parameters are for a procedure")
        if any(not path.strip("!") for path in action.paths):
            raise UsageError(f"{place}: paths: one is empty")


def run_name(repo: str) -> str:
    """What runs of a repo's pushes are called among the runs of procedures."""
    return f"{_RUN_NAME}{repo}"[:64]


def run_of(repo: str, actions: Sequence[OnPush], *, pull: bool, beside: bool = False) -> ProcedureDefinition:
    """The procedure that a push becomes: pull the clones, then one thing after the other, until one fails.

    ``beside``: the first of them does without the clones, and is done while they are pulled.

    Raises:
        UsageError: one of the actions is of a kind that this version does not know.
    """
    from komodo_tui.domain.procedures.model import ProcedureDefinition  # late: most verbs do without

    stages: list[dict[str, Any]] = []
    if pull:
        stages.append({"name": "pull", "steps": [{"repo_pull": {"repo": repo, "clone": True}}]})
        if beside and actions:
            first, *actions = actions
            stages[0]["name"] += f", {first.text}"
            stages[0]["steps"].append(_step(first))
    stages += [{"name": action.text, "steps": [_step(action)]} for action in actions]
    stages = stages or [{"name": "nothing", "steps": [{"set": {"values": {"done": "nothing"}}}]}]
    plain = {
        "name": run_name(repo), "description": f"a push to repo {repo}", "overlap": "wait", "stages": stages,
        "parameters": {"repo": "", "branch": "", "commit": ""}, "allow_dangerous": False,
    }  # fmt: skip
    try:
        return msgspec.convert(plain, ProcedureDefinition)
    except msgspec.ValidationError as error:
        raise UsageError(f"repo {repo}: on_push cannot be done: {error}") from error


def _step(action: OnPush) -> dict[str, Any]:
    if action.deploy:
        return {"deploy": {"stack": action.deploy, "only_if_changed": True}}
    if action.build:
        return {"build": {"build": action.build}}
    if action.sync:
        return {"sync": {"sync": action.sync}}
    return {"procedure": {"procedure": action.procedure, "parameters": action.parameters}}


def wanted(action: OnPush, changed: Sequence[str] | None) -> bool:
    """Whether these files concern an action; None = it is not known which files changed, so it is done."""
    if not action.paths or changed is None:
        return True
    takes = [path for path in action.paths if not path.startswith("!")]
    leaves = [path[1:] for path in action.paths if path.startswith("!")]
    return any(
        (not takes or any(_pattern(one).fullmatch(path) for one in takes))
        and not any(_pattern(one).fullmatch(path) for one in leaves)
        for path in changed
    )


@cache
def _pattern(glob: str) -> re.Pattern[str]:
    """As in a .gitignore: ``**`` goes through folders, a slash at the end means all below, none at all any folder."""
    anywhere = "/" not in glob.rstrip("/")
    glob = glob.lstrip("/") + ("**" if glob.endswith("/") else "")
    found = re.escape(glob)
    for written, meant in (
        (r"\*\*/", r"(?:.*/)?"), (r"\*\*", r"\0"), (r"\*", r"[^/]*"), (r"\?", r"[^/]"), (r"\0", r".*")
    ):  # fmt: skip
        found = found.replace(written, meant)
    return re.compile(rf"(?:.*/)?{found}" if anywhere else found, re.DOTALL)
