"""Runs the commands of a deploy one after the other, their output in the job's log, and waits for health."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from ..problems import AgentError
from .cli import stream
from .health import until_well
from .observe import tidy

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ..engine.client import Engine
    from ..jobs import JobContext
    from ..wire.compose import HealthPolicy
    from .project import ComposeCalls

_TAIL = "30"
"""Lines of a broken service's log that go into the job's."""
_SAID = 20


class Runner:
    """The commands of one job on one project."""

    def __init__(self, engine: Engine, context: JobContext, project: str, fd: int) -> None:
        """``fd``: the project's lock, which children hold on to if the agent dies."""
        self._engine = engine
        self._context = context
        self._project = project
        self._fd = fd
        self.step = "check"
        """What is being done, as a person would say it."""

    async def compose(self, calls: ComposeCalls, step: str, *words: str) -> None:
        """One compose command; raises AgentError when it fails."""
        await self._run(step, calls.words(*words, plain=True), calls.shown(*words), calls)

    async def commands(self, step: str, commands: Sequence[Sequence[str]], calls: ComposeCalls) -> None:
        """The user's own commands, in the project's folder; raises AgentError at the first that fails."""
        for words in commands:
            if words:
                await self._run(step, words, calls.masked(shlex.join(words)), calls)

    async def tidy(self) -> None:
        """Mend what a compose that was cut off left; raises AgentError when the engine does not answer."""
        for line in await tidy(self._engine, self._project):
            self._context.log(line)

    async def well(
        self,
        calls: ComposeCalls,
        expected: Mapping[str, int],
        policy: HealthPolicy,
        *,
        changed: bool = True,
    ) -> None:
        """Wait until the services (replicas by name) are well; raises AgentError when they do not become so."""
        self.step = "health"
        verdict = await until_well(
            self._engine, self._context, self._project, expected, calls.source.ignore_services, policy, changed=changed
        )
        if verdict.good:
            return
        for service in verdict.services[:3]:
            self._context.log(f"the last lines of {service}:")
            await stream(
                calls.words("logs", "--no-color", "--no-log-prefix", "--tail", _TAIL, service),
                environment=calls.environment, folder=calls.folder, line=lambda t: self._context.log(calls.masked(t)),
            )  # fmt: skip
        raise AgentError("failed", f"not healthy: {verdict.words}")

    async def _run(self, step: str, words: Sequence[str], shown: str, calls: ComposeCalls) -> None:
        self.step = step
        self._context.command(shown)
        self._context.progress(step)
        said: list[str] = []

        def line(text: str) -> None:
            text = calls.masked(text)
            self._context.log(text)
            said.append(text)
            del said[:-_SAID]

        code = await stream(words, environment=calls.environment, folder=calls.folder, line=line, pass_fds=(self._fd,))
        if code:
            last = next((text for text in reversed(said) if text.strip()), "")
            raise AgentError("failed", f"{step} failed (exit code {code}): {calls.complaint(last)}")
