"""An agent's builds with a docker command that is made up: what it is told, what it leaves, and what becomes of it."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from komodo_agent.builds.builder import Builder, find_builder
from komodo_agent.builds.command import build_words, check_words
from komodo_agent.builds.files import prepared
from komodo_agent.builds.logins import configuration
from komodo_agent.builds.place import Place, left_behind
from komodo_agent.builds.work import Builds
from komodo_agent.engine.availability import buildkit_offered
from komodo_agent.in_memory import lent
from komodo_agent.problems import AgentError
from komodo_agent.wire.builds import BuildJob, BuildSource
from komodo_agent.wire.models import Engine as EngineState
from komodo_agent.wire.repos import RepoSource
from tests.unit.repos.lab import Author

if TYPE_CHECKING:
    from pathlib import Path

API = (1, 41)
BUILDX, CLASSIC = Builder("buildx", "28.0.0"), Builder("classic", "28.0.0")


class Context:
    """A job's, that only notes."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.results: dict[str, str] = {}

    def log(self, text: str) -> None:
        self.lines.append(text)

    def command(self, text: str) -> None:
        self.lines.append(f"$ {text}")

    def progress(self, text: str, done: float | None = None) -> None:
        """Nobody watches."""

    def result(self, **values: str) -> None:
        self.results |= values


class Engine:
    """One that is never asked."""

    path = "/nowhere.sock"
    has_buildkit = False
    api_version = (1, 41)

    def __init__(self, version: str = "") -> None:
        self.status = EngineState(status="up", version=version)

    def set_status(self, status: EngineState) -> None:
        self.status = status


def job(**fields: Any) -> BuildJob:
    return BuildJob(
        **{"name": "api", "image": "api", "tags": ("1",), "source": BuildSource(dockerfile="FROM a\n"), **fields}
    )


def docker(folder: Path, monkeypatch: pytest.MonkeyPatch, build: str) -> None:
    """Make ``docker build`` this script, of a BuildKit of its own address."""
    folder.mkdir()
    (folder / "docker").write_text(
        '#!/bin/sh\ncase "$1" in buildx) exit 1;; version) echo "20.10|20.10"; exit;; esac\n' + build
    )
    (folder / "docker").chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    monkeypatch.setattr(Engine, "path", str(folder / "engine.sock"))  # what was found out is kept by address


async def failed(builds: Builds, spec: BuildJob) -> tuple[AgentError, Context]:
    context = Context()
    with pytest.raises(AgentError) as caught:
        await builds.run(context, spec)  # type: ignore[arg-type]
    return caught.value, context


async def test_a_full_disk_is_told_as_such(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lines = (
        "#4 [2/2] RUN dd\\n#4 0.1 dd: error writing: No space left on device\\n#4 ERROR: exit code: 1\\nexit code: 1\\n"
    )
    docker(tmp_path / "bin", monkeypatch, f"printf '{lines}'; exit 1\n")
    builds = Builds(Engine(), tmp_path / "builds", [])  # type: ignore[arg-type]
    error, context = await failed(builds, job())
    assert error.message == "the build failed at [2/2] RUN dd: exit code 1"
    assert "disk is full" in error.hint
    assert json.loads(context.results["failed_lines"])[0] == "dd: error writing: No space left on device"
    assert not (tmp_path / "builds/api/work").exists()


async def test_a_clone_that_git_cannot_read_any_more_is_cloned_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As after a loss of power: nobody but the build could do it, since the clone is the build's own."""
    docker(tmp_path / "bin", monkeypatch, "exit 3\n")
    (tmp_path / "git").mkdir()
    author = Author(tmp_path / "git")
    author.push("a Dockerfile", Dockerfile="FROM a\n")
    builds = Builds(Engine(), tmp_path / "builds", [tmp_path / "git"])  # type: ignore[arg-type]
    spec = job(source=BuildSource(repo=RepoSource(url=f"file://{author.bare}")))
    built = "the build failed: exit code 3"
    assert (await failed(builds, spec))[0].message == built
    clone = tmp_path / "builds/api/source/git"
    for damaged in ([clone / "HEAD"], [*clone.glob("objects/??/*"), *clone.glob("objects/pack/*.pack")]):
        assert damaged
        for path in damaged:
            path.chmod(0o600)
            path.write_bytes(b"")
        error, context = await failed(builds, spec)
        assert error.message == built
        assert any("cloned anew" in line for line in context.lines)
    assert (await failed(builds, spec))[0].message == built
    author.bare.rename(tmp_path / "moved")
    assert "no repository" in (await failed(builds, spec))[0].message


async def test_stopped_while_the_tags_are_set_it_is_seen_through(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else some of the tags would be the new image's and the others the old one's."""
    image = f"sha256:{'a' * 64}"
    docker(
        tmp_path / "bin", monkeypatch,
        f'while [ $# -gt 1 ]; do [ "$1" = --iidfile ] && printf {image} > "$2"; shift; done\n',
    )  # fmt: skip
    setting, go_on, asked = asyncio.Event(), asyncio.Event(), list[str]()

    async def ask(engine: Any, what: str, method: str, path: str, **_: Any) -> Any:
        if method == "POST":
            setting.set()
            await go_on.wait()
            asked.append(what)
        return {"Size": 1}

    monkeypatch.setattr("komodo_agent.builds.acts.ask", ask)
    context = Context()
    builds = Builds(Engine(), tmp_path / "builds", [])  # type: ignore[arg-type]
    task = asyncio.create_task(builds.run(context, job(tags=("1.0.0", "latest"))))  # type: ignore[arg-type]
    async with asyncio.timeout(10):
        await setting.wait()
        task.cancel()
        await asyncio.sleep(0)
        go_on.set()
        await task
    assert asked == ["tag api:1.0.0", "tag api:latest"]
    assert context.results["references"] == "api:1.0.0 api:latest"


async def test_a_step_that_was_stopped_did_not_fail(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    docker(tmp_path / "bin", monkeypatch, "printf '#4 [2/2] RUN wait\\n#4 0.1 begun\\n'; exec sleep 1000\n")
    begun = asyncio.Event()

    class Waiting(Context):
        def log(self, text: str) -> None:
            super().log(text)
            if text.endswith("begun"):
                begun.set()

    context = Waiting()
    builds = Builds(Engine(), tmp_path / "builds", [])  # type: ignore[arg-type]
    task = asyncio.create_task(builds.run(context, job()))  # type: ignore[arg-type]
    async with asyncio.timeout(10):
        await begun.wait()
        task.cancel()
        await asyncio.wait({task})
    assert task.cancelled()
    assert [(name, state) for name, _, state in json.loads(context.results["steps"])] == [
        ("[2/2] RUN wait", "cancelled")
    ]


async def test_a_secret_that_a_step_prints_is_not_in_the_output(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    docker(
        tmp_path / "bin", monkeypatch, 'for w in "$@"; do case $w in id=tok,*) cat "${w#*src=}";; esac; done; exit 3\n'
    )
    builds = Builds(Engine(), tmp_path / "builds", [])  # type: ignore[arg-type]
    error, context = await failed(builds, job(secrets={"tok": "hunter22"}, secret_names={"tok": "TOK"}))
    assert "•••" in context.lines
    assert "hunter22" not in "\n".join((*context.lines, error.message, *context.results.values()))


def only(folder: Path, docker: str) -> dict[str, str]:
    """The environment of a server whose docker is this script, or that has none."""
    folder.mkdir()
    if docker:
        (folder / "docker").write_text(f"#!/bin/sh\n{docker}\n")
        (folder / "docker").chmod(0o755)
    return {"PATH": f"{folder}:/usr/bin:/bin" if docker else str(folder), "DOCKER_HOST": str(folder)}


@pytest.mark.parametrize(
    ("docker", "of_engine", "kind"),
    [
        ('case "$1" in version) echo "28.0.0|27.0.0";; esac', True, "buildx"),
        ('case "$1" in buildx) exit 1;; version) echo "20.10.5|20.10.5";; esac', True, "buildkit"),
        ('case "$1" in buildx) exit 1;; version) echo "28.0.0|27.0.0";; esac', True, "engine"),
        ('case "$1" in buildx) exit 1;; version) echo "28.0.0|27.0.0";; esac', False, "classic"),
        ("echo broken >&2; exit 1", True, "engine"),
        ("", True, "engine"),
    ],
)
async def test_which_builder_is_used(tmp_path: Path, docker: str, of_engine: bool, kind: str) -> None:
    engine = Engine(version="27.0.0")
    engine.has_buildkit = of_engine
    builder = await find_builder(only(tmp_path / "bin", docker), engine)  # type: ignore[arg-type]
    assert builder.kind == kind
    assert builder.version in str(builder)


async def test_the_builder_is_told_with_the_engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", only(tmp_path / "bin", 'case "$1" in version) echo "28.0.0|27.0.0";; esac')["PATH"])
    engine = Engine()
    engine.path = str(tmp_path / "with.sock")
    await Builds(engine, tmp_path / "builds", []).look()  # type: ignore[arg-type]
    assert engine.status.builder == "docker 28.0.0, BuildKit (buildx)"
    monkeypatch.setenv("PATH", str(tmp_path))
    engine = Engine()
    engine.path = str(tmp_path / "without.sock")
    await Builds(engine, tmp_path / "builds", []).look()  # type: ignore[arg-type]
    assert engine.status.builder == ""


async def test_no_builder_at_all_is_said_so(tmp_path: Path) -> None:
    for folder, docker, words in (("a", "", "no docker command"), ("b", "echo broken >&2; exit 1", "broken")):
        with pytest.raises(AgentError, match=words):
            await find_builder(only(tmp_path / folder, docker), Engine())  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("headers", "has"),
    [
        ({"Api-Version": "1.45", "Builder-Version": "2", "OSType": "linux"}, True),
        ({"Api-Version": "1.41", "OSType": "linux"}, True),
        ({"Api-Version": "1.41", "Builder-Version": "1", "OSType": "linux"}, False),
        ({"Api-Version": "1.45", "Builder-Version": "1", "OSType": "linux"}, False),
        ({"Api-Version": "1.45", "Builder-Version": "1", "OSType": "windows"}, False),
        ({"Api-Version": "1.41", "Libpod-API-Version": "5.4.2", "OSType": "linux"}, False),
        ({}, False),
    ],
)
def test_what_an_engine_says_of_its_buildkit(headers: dict[str, str], has: bool) -> None:
    assert buildkit_offered(headers) == has


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"source": BuildSource()}, "nothing to build"),
        ({"source": BuildSource(folder="relative")}, "no absolute path"),
        ({"name": "../x"}, "no name for a build"),
        ({"tags": ("a b",)}, "no tag"),
        ({"source": BuildSource(folder="/nowhere/at/all")}, "no folder"),
    ],
)
async def test_what_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fields: dict[str, Any], words: str
) -> None:
    docker(tmp_path / "bin", monkeypatch, "exit 0\n")
    builds = Builds(Engine(), tmp_path / "builds", [])  # type: ignore[arg-type]
    error, context = await failed(builds, job(**fields))
    assert words in error.message
    assert context.results["refused"] == "bad_request"


def test_nothing_may_lead_out_of_the_files(tmp_path: Path) -> None:
    files = tmp_path / "files"
    files.mkdir()
    (files / "Dockerfile").symlink_to("/etc/passwd")
    (files / "out").symlink_to("/etc")
    place = Place(tmp_path / "builds", "api")
    for fields in ({}, {"path": "out"}, {"path": "missing"}):
        with pytest.raises(AgentError):
            prepared(job(source=BuildSource(folder=str(files)), **fields), place, files, "")


def test_words_that_would_undo_what_the_build_says_are_refused() -> None:
    for word in ("-t", "--tag=x", "--iidfile", "--push", "-f"):
        with pytest.raises(AgentError, match="said by the build itself"):
            check_words(job(extra=(word,)), BUILDX, API)
    check_words(job(extra=("--ulimit", "nofile=1024"), platforms=("linux/amd64", "linux/arm64")), BUILDX, API)
    for fields in ({"secret_names": {"a": "A"}}, {"platforms": ("linux/amd64", "linux/arm64")}):
        with pytest.raises(AgentError, match="need BuildKit"):
            check_words(job(**fields), CLASSIC, API)


def test_the_version_is_given_where_the_dockerfile_wants_it(tmp_path: Path) -> None:
    def words(text: str) -> list[str]:
        return build_words(job(version="1.2.3"), BUILDX, tmp_path, tmp_path / "Dockerfile", text, tmp_path / "iid",
                           secrets={}, commit="")  # fmt: skip

    assert "VERSION=1.2.3" in words("FROM a\nARG VERSION\n")
    assert "VERSION=1.2.3" in words("ARG OTHER VERSION=1\nFROM a\n")
    assert "VERSION=1.2.3" not in words("FROM a\nENV VERSION=1\n")


def test_secrets_are_in_memory_as_long_as_they_are_lent() -> None:
    with lent({"tok": "hunter22", "empty": ""}) as paths:
        assert subprocess.run(["cat", paths["tok"]], capture_output=True, check=True).stdout == b"hunter22"
        assert os.readlink(paths["tok"]).startswith("/memfd:")
    assert not os.path.exists(paths["tok"])


def test_a_login_comes_beside_what_the_usual_configuration_has(tmp_path: Path) -> None:
    usual = {"credsStore": "pass", "credHelpers": {"a": "x", "reg.example": "y"}, "auths": {"old": {"auth": "b2xk"}}}
    (tmp_path / "config.json").write_text(json.dumps(usual))
    header = "eyJ1c2VybmFtZSI6ICJhbmEiLCAicGFzc3dvcmQiOiAicyIsICJzZXJ2ZXJhZGRyZXNzIjogInJlZy5leGFtcGxlIn0="
    found = json.loads(configuration({"reg.example": header}, tmp_path))
    assert found == {
        "auths": {"old": {"auth": "b2xk"}, "reg.example": {"auth": "YW5hOnM="}}, "credHelpers": {"a": "x"},
    }  # fmt: skip
    with pytest.raises(AgentError, match="cannot be read"):
        configuration({"reg.example": "bm90IGpzb24="}, tmp_path)


async def test_one_build_at_a_time_and_what_a_killed_agent_left_is_ended(tmp_path: Path) -> None:
    place = Place(tmp_path, "api")
    with place.locked() as lock:
        child = subprocess.Popen(["sleep", "1000"], pass_fds=(lock,))
        with pytest.raises(AgentError, match="being built already"), place.locked():
            pass
    place.begin()
    assert not place.is_free()  # the child holds it
    await asyncio.to_thread(left_behind, tmp_path)
    assert child.wait(10) == -signal.SIGINT
    assert place.is_free()
    assert not place.work.exists()


async def test_a_build_of_another_agent_that_lives_goes_on(tmp_path: Path) -> None:
    """Two programs with another environment, or of another version, have each its agent, and the same state folder."""
    words = (
        "import sys, pathlib; from komodo_agent.builds.place import Place\n"
        "place = Place(pathlib.Path(sys.argv[1]), 'api')\n"
        "with place.ours(), place.locked(): place.begin(); print('builds', flush=True); sys.stdin.read()"
    )
    other = subprocess.Popen(
        [sys.executable, "-c", words, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert other.stdout is not None
    assert other.stdin is not None
    assert other.stdout.readline() == "builds\n"
    builds = Builds(Engine(), tmp_path, [])  # type: ignore[arg-type]
    await builds.open()
    error, context = await failed(builds, job())
    assert (error.code, context.results) == ("conflict", {"refused": "conflict"})
    assert Place(tmp_path, "api").work.is_dir()
    other.stdin.close()
    assert other.wait(10) == 0
    other.stdout.close()
