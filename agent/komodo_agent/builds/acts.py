"""One build: its files, its commands, its steps as they go by, and its tags once the image is whole."""

from __future__ import annotations

import asyncio
import re
import shlex
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

import msgspec

from ..compose.cli import Masker, child_environment, stream
from ..engine.asking import ask, image_path
from ..in_memory import lent
from ..problems import AgentError
from ..wire.build_steps import StepReader
from ..wire.builds import COMMIT_DIGITS
from .builder import look
from .buildkit.request import parameters, shown
from .command import build_words, check_words
from .files import bring, prepared
from .logins import configuration, make_folder, usual_folder, usual_logins

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from ..engine.client import Engine
    from ..jobs import JobContext
    from ..wire.builds import BuildJob
    from .builder import Builder
    from .files import Files
    from .place import Place

_COLOURS = re.compile(r"\x1b\[[0-9;]*m")
_NOISE = re.compile(
    r"DEPRECATED: The legacy builder|            (?:BuildKit is|environment-variable|Install the|https://)"
)
_DIGEST = re.compile(r"#\d+ sha256:[0-9a-f]{64}")
_ID = re.compile(r"(?:sha256:)?[0-9a-f]{64}")
_EXIT = re.compile(r"(?:exit code|returned a non-zero code): (\d+)$")
_SHOWN = 20
_FULL = "no space left on device"


def _told(iid: Path, metadata: Path) -> list[str]:
    """The ids that the build tells of. Blocks."""
    found: list[str] = []
    with suppress(OSError):
        found.append(iid.read_text().strip())
    with suppress(OSError, msgspec.DecodeError):
        document = msgspec.json.decode(metadata.read_bytes(), type=dict[str, Any])
        found += [str(document.get(key, "")) for key in ("containerimage.digest", "containerimage.config.digest")]
    return [image for image in dict.fromkeys(found) if _ID.fullmatch(image)]


class _Reading:
    ok = False


class BuildAct:
    """One job, its lock held."""

    def __init__(
        self, engine: Engine, context: JobContext, job: BuildJob, place: Place, lock: int, roots: Sequence[Path]
    ) -> None:
        self._engine = engine
        self._context = context
        self._job = job
        self._place = place
        self._lock = lock
        self._roots = roots
        self._mask = Masker(job.secrets, tuple(job.secrets))
        self._environment = child_environment(engine.path, {})
        self._steps = StepReader(time.monotonic)
        self._last: list[str] = []

    async def run(self) -> None:
        """Do it. Raises AgentError."""
        began = time.monotonic()
        context, job = self._context, self._job
        self._at("look for a builder")
        builder = await look(self._engine)
        check_words(job, builder, self._engine.api_version)
        context.log(f"{builder}: building {job.name}{f' {job.version}' if job.version else ''}")
        context.result(builder=builder.kind, version=job.version)
        self._at("bring the files")
        folder, commit = await bring(context, job, self._place, self._lock, self._roots)
        for words in job.before:
            await self._command("pre-build command", words, folder)
        files = await asyncio.to_thread(prepared, job, self._place, folder, commit)
        self._at("build")
        by_engine = builder.kind == "engine"
        image = await (self._build_by_engine(files) if by_engine else self._build_by_command(builder, files))
        self._at("tag")
        await self._tag(image, commit)
        context.result(seconds=f"{time.monotonic() - began:.1f}", step="")

    def _at(self, step: str) -> None:
        self._context.result(step=step)
        self._context.progress(step)

    async def _command(self, what: str, words: Sequence[str], folder: Path) -> None:
        self._at(what)
        self._context.command(self._mask(shlex.join(words)))
        code = await stream(
            words, environment=self._environment, folder=folder, line=self._said, pass_fds=(self._lock,)
        )
        if code:
            raise AgentError("failed", f"the {what} failed (exit code {code}): {self._complaint()}")

    async def _build_by_engine(self, files: Files) -> str:
        """The image's id."""
        # only here: HTTP/2 is a megabyte that most agents never need
        from .buildkit.build import build, lent_to

        job, engine = self._job, self._engine
        wanted = parameters(job, files, engine.api_version)
        self._context.command(self._mask(shown(wanted, files)))
        usual = await asyncio.to_thread(usual_logins, usual_folder(self._environment))
        with self._reading() as reading:
            outcome = await build(
                engine, job.name, str(self._place.path), wanted, lent_to(job, files, usual), self._line
            )
            reading.ok = not outcome.error
        if outcome.error:
            for line in outcome.error.splitlines():
                self._said(line)
            raise self._failure(1)
        return await self._found([outcome.image])

    async def _build_by_command(self, builder: Builder, files: Files) -> str:
        """The image's id."""
        iid = self._place.work / "iid"
        with lent(self._job.secrets) as secrets, self._logged_in() as environment:
            words = build_words(
                self._job, builder, files.context, files.dockerfile, files.text, iid, secrets=secrets,
                commit=files.commit,
            )  # fmt: skip
            self._context.command(shlex.join(words))
            with self._reading() as reading:
                code = await stream(
                    words, environment={**environment, **builder.environment}, folder=self._place.work,
                    line=self._line, pass_fds=(self._lock,),
                )  # fmt: skip
                reading.ok = code == 0
        if code:
            raise self._failure(code)
        return await self._found(await asyncio.to_thread(_told, iid, iid.with_name("metadata")))

    @contextmanager
    def _reading(self) -> Iterator[_Reading]:
        """While the builder writes; however that ends, the steps there were are in the result."""
        reading, stopped = _Reading(), False
        try:
            yield reading
        except asyncio.CancelledError:
            stopped = True
            raise
        finally:
            self._took(self._steps.end(ok=reading.ok, stopped=stopped))
            self._context.result(steps=msgspec.json.encode(self._steps.steps).decode())

    async def _found(self, ids: Sequence[str]) -> str:
        """The image the engine has, of the ids it may go by: that depends on how the engine keeps images."""
        for image in ids:
            try:
                await ask(self._engine, f"look at {image[:19]}", "GET", f"/images/{image_path(image)}/json")
            except AgentError as error:
                if error.code != "not_found":
                    raise
            else:
                return image
        raise AgentError(
            "failed", "the build ended well, but the engine has no image of it",
            hint="a builder of its own keeps images outside: use the engine's (docker buildx use default)",
        )  # fmt: skip

    @contextmanager
    def _logged_in(self) -> Iterator[dict[str, str]]:
        """The environment of a docker that has the logins, for as long as it builds."""
        if not self._job.logins:
            yield self._environment
            return
        usual = usual_folder(self._environment)
        with lent({"config": configuration(self._job.logins, usual)}) as paths:
            folder = self._place.work / "config"
            make_folder(folder, paths["config"], usual)
            yield {**self._environment, "DOCKER_CONFIG": str(folder)}

    def _line(self, text: str) -> None:
        text = _COLOURS.sub("", text)
        if _NOISE.match(text) or _DIGEST.fullmatch(text):
            return
        text = self._mask(text)
        self._took(self._steps.add(text))
        self._said(text)
        now = self._steps.now
        if now:
            self._context.progress(now, self._steps.share)

    def _took(self, line: str) -> None:
        if line:
            self._context.log(line)

    def _said(self, text: str) -> None:
        text = self._mask(text)
        self._context.log(text)
        if text.strip():
            self._last.append(text.strip())
            del self._last[:-_SHOWN]

    def _complaint(self) -> str:
        return self._last[-1][:300] if self._last else "it said nothing"

    def _why(self, code: int) -> str:
        """The step's exit code where that is all there is to say: the lines it wrote are shown beside."""
        if not self._last:
            return f"exit code {code}"
        found = _EXIT.search(self._last[-1])
        return f"exit code {found[1]}" if found else self._complaint()

    def _failure(self, code: int) -> AgentError:
        """Which step failed, with its last lines in the result and at the log's end."""
        step, lines = self._steps.failed
        shown = lines[-_SHOWN:]
        self._context.result(failed_step=step, failed_lines=msgspec.json.encode(shown).decode())
        if step:
            self._context.log(f"failed: {step}")
            for line in shown:
                self._context.log(f"  | {line}")
        full = any(_FULL in line.lower() for line in (*self._last, *lines))
        return AgentError(
            "failed", f"the build failed{f' at {step}' if step else ''}: {self._why(code)}",
            hint="the server's disk is full: remove what is not used (komodo-tui prune)" if full else "",
        )  # fmt: skip

    async def _tag(self, image: str, commit: str) -> None:
        job, context = self._job, self._context
        found = await ask(self._engine, f"look at {image[:19]}", "GET", f"/images/{image_path(image)}/json")
        tags = [*job.tags]
        if job.commit_tag and commit:
            tags.append(f"{commit[:COMMIT_DIGITS]}{job.postfix}")
        references = [f"{job.image}:{tag}" for tag in dict.fromkeys(tags)]
        for reference in references:
            context.command(f"docker tag {image[:19]} {reference}")
        setting = asyncio.create_task(self._set_tags(image, list(dict.fromkeys(tags))))
        try:
            await asyncio.shield(setting)
        except asyncio.CancelledError:  # too late: some tags would be the new image's, the others the old one's
            await asyncio.shield(setting)
        size = int((found or {}).get("Size") or 0)
        context.result(image=image, size=str(size), commit=commit, references=" ".join(references))
        context.log(f"built {references[0] if references else image[:19]}")

    async def _set_tags(self, image: str, tags: Sequence[str]) -> None:
        for tag in tags:
            await ask(
                self._engine, f"tag {self._job.image}:{tag}", "POST", f"/images/{image_path(image)}/tag",
                params={"repo": self._job.image, "tag": tag},
            )  # fmt: skip
