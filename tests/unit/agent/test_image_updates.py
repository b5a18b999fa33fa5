"""Questions to registries: few at once, one for a name, answers kept as long as they may be, failures told."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from komodo_agent.engine.updates import _AT_ONCE, Answer, UpdateChecks
from komodo_agent.problems import AgentError
from komodo_agent.wire.updates import MOST_IMAGES, ImageQuestion, ImageUpdate, UpdatesRequest

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

OLD, NEW = f"sha256:{1:064x}", f"sha256:{2:064x}"


class _Answer:
    def __init__(self, body: bytes) -> None:
        self.content = self
        self._body = body

    async def iter_any(self) -> AsyncIterator[bytes]:
        yield self._body


class _Engine:
    """Has every image, pulled as OLD; its registries have ``digest`` under every name."""

    def __init__(self) -> None:
        self.digest = NEW
        self.broken = ""
        self.asked: list[str] = []
        self.logins: list[str] = []
        self.at_once = self.most = self.looked_at = 0
        self.gate = asyncio.Event()
        self.gate.set()

    @asynccontextmanager
    async def stream(self, method: str, path: str, **given: Any) -> AsyncIterator[_Answer]:
        if path.startswith("/images/"):
            self.looked_at += 1
            local = "local" in path
            yield _Answer(msgspec.json.encode({"RepoDigests": [] if local else [f"x@{OLD}"]}))
            return
        self.asked.append(path)
        self.logins.append((given.get("headers") or {}).get("X-Registry-Auth", ""))
        self.at_once += 1
        self.most = max(self.most, self.at_once)
        try:
            await self.gate.wait()
            if self.broken:
                raise ConnectionResetError(self.broken)
            yield _Answer(msgspec.json.encode({"Descriptor": {"digest": self.digest}}))
        finally:
            self.at_once -= 1


def ask(*images: str, max_age: float = 3600.0, auth: str = "") -> UpdatesRequest:
    questions = tuple(ImageQuestion(image=image, image_id=f"id-of-{image}", registry_auth=auth) for image in images)
    return UpdatesRequest(images=questions, max_age=max_age)


def checks(engine: _Engine, folder: Path) -> UpdateChecks:
    return UpdateChecks(engine, folder / "agent" / "updates.json")  # type: ignore[arg-type]


def states(found: tuple[ImageUpdate, ...]) -> list[str]:
    return [update.state for update in found]


async def test_an_answer_is_kept_as_long_as_it_may_be_and_over_a_restart(tmp_path: Path) -> None:
    engine = _Engine()
    checker = checks(engine, tmp_path)
    assert states(await checker.check(ask("a:1"))) == ["update"]
    engine.digest = OLD
    assert states(await checker.check(ask("a:1"))) == ["update"]
    assert states(await checks(engine, tmp_path).check(ask("a:1"))) == ["update"]
    assert len(engine.asked) == 1
    assert states(await checker.check(ask("a:1", max_age=0))) == ["current"]
    assert len(engine.asked) == 2


async def test_few_at_once_and_one_for_a_name(tmp_path: Path) -> None:
    engine = _Engine()
    engine.gate.clear()
    checker = checks(engine, tmp_path)
    images = [f"a:{n}" for n in range(12)]
    looks = [asyncio.create_task(checker.check(ask(*images, max_age=0))) for _ in range(3)]
    while engine.looked_at < 36:
        await asyncio.sleep(0)
    for _ in range(100):  # all of them wait for their turn now
        await asyncio.sleep(0)
    engine.gate.set()
    assert [states(found) for found in await asyncio.gather(*looks)] == [["update"] * 12] * 3
    assert engine.most == _AT_ONCE
    assert len(engine.asked) == 12


async def test_what_needs_no_question_makes_none(tmp_path: Path) -> None:
    engine = _Engine()
    found = await checks(engine, tmp_path).check(ask(f"a@{OLD}", OLD, "0123456789ab", "local:1"))
    assert states(found) == ["pinned", "pinned", "pinned", "local"]
    assert engine.asked == []


async def test_a_registry_that_is_away_is_told_and_left_alone(tmp_path: Path) -> None:
    engine = _Engine()
    engine.broken = "nobody there"
    checker = checks(engine, tmp_path)
    found = (await checker.check(ask("a:1")))[0]
    assert (found.state, "nobody there" in found.why) == ("unknown", True)
    engine.broken = ""
    assert states(await checker.check(ask("a:1"))) == ["unknown"]  # not asked again so soon
    assert states(await checker.check(ask("a:1", max_age=0))) == ["update"]
    assert states(await checks(engine, tmp_path).check(ask("b:1"))) == ["update"]


async def test_a_login_goes_with_the_question_and_into_no_file(tmp_path: Path) -> None:
    engine = _Engine()
    checker = checks(engine, tmp_path)
    await checker.check(ask("a:1", auth="c2VjcmV0"))
    assert engine.logins == ["c2VjcmV0"]
    assert states(await checker.check(ask("a:1"))) == ["update"]
    assert engine.logins == ["c2VjcmV0", ""]  # what a login may see is not shown without it
    assert b"c2VjcmV0" not in (tmp_path / "agent" / "updates.json").read_bytes()
    assert (tmp_path / "agent" / "updates.json").stat().st_mode & 0o777 == 0o600


async def test_a_damaged_file_and_too_many_questions(tmp_path: Path) -> None:
    engine = _Engine()
    (tmp_path / "agent").mkdir()
    (tmp_path / "agent" / "updates.json").write_text("{")
    checker = checks(engine, tmp_path)
    assert states(await checker.check(ask("a:1"))) == ["update"]
    kept = msgspec.json.decode((tmp_path / "agent" / "updates.json").read_bytes(), type=dict[str, Answer])
    assert kept["a:1"].digest == NEW
    with pytest.raises(AgentError):
        await checker.check(ask(*map(str, range(MOST_IMAGES + 1))))
