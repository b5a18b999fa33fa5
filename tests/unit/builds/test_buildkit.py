"""What BuildKit tells and is told, without an engine: messages, lines, patterns, files and parameters."""

from __future__ import annotations

import os
import re
import socket
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from komodo_agent.builds.buildkit.patterns import Patterns
from komodo_agent.builds.buildkit.plain import PlainLines
from komodo_agent.builds.buildkit.protobuf import block, fields, number, signed
from komodo_agent.builds.buildkit.request import Extra, check_request, parameters
from komodo_agent.builds.buildkit.trace import Log, Status, Trace, Vertex, Warned, read_trace
from komodo_agent.builds.buildkit.tree import Wanted, walk
from komodo_agent.builds.files import Files
from komodo_agent.problems import AgentError
from komodo_agent.wire.build_steps import StepReader
from komodo_agent.wire.builds import BuildJob, BuildSource

if TYPE_CHECKING:
    from pathlib import Path

OLD, NEW = (1, 41), (1, 45)


def stamp(seconds: float) -> bytes:
    return number(1, int(seconds)) + number(2, round(seconds % 1 * 1e9))


@given(st.integers(1, 1 << 20), st.integers(-(1 << 63), (1 << 63) - 1), st.binary(max_size=300))
def test_fields_come_back_as_they_were_written(field: int, value: int, data: bytes) -> None:
    found = list(fields(number(field, value) + block(field, data)))
    assert found[-1] == (field, data)
    assert [signed(each) for _, each in found[:-1]] == ([value] if value else [])


@given(st.binary(max_size=400))
def test_whatever_the_engine_sends_is_a_message_or_a_value_error(data: bytes) -> None:
    try:
        lines = list(PlainLines().feed(read_trace(data)))
    except ValueError:
        return
    assert all("\n" not in line for line in lines)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"\x0a\x05abc", "ends after its message"),
        (b"\x80", "ends after its message"),
        (b"\x08" + b"\x80" * 11, "more than 64 bits"),
        (b"\x00", "number 0"),
        (b"\x0b", "kind 3"),
        (b"\x0d\x00", "ends after its message"),
    ],
)
def test_a_broken_message_says_what_is_wrong(data: bytes, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        list(fields(data))


def test_a_message_is_read() -> None:
    vertex = (
        block(1, b"sha256:a") + block(3, b"[2/3] RUN make") + number(4, 1) + block(5, stamp(5)) + block(6, stamp(7.5))
    )
    status = block(1, b"layer") + block(2, b"sha256:a") + number(4, 3) + number(5, 9) + block(8, stamp(6))
    log = block(1, b"sha256:a") + block(2, stamp(6)) + number(3, 1) + block(4, b"out\n")
    warning = block(1, b"sha256:a") + number(2, 1) + block(3, b"bad form")
    data = block(1, vertex) + block(2, status) + block(3, log) + block(4, warning) + number(9, 1)
    assert read_trace(data) == Trace(
        (Vertex("sha256:a", "[2/3] RUN make", cached=True, started=5.0, completed=7.5),),
        (Status("sha256:a", "layer", 3, 9, completed=6.0),),
        (Log("sha256:a", b"out\n", 6.0),),
        (Warned("sha256:a", "bad form"),),
    )


def test_lines_are_those_of_plain_progress_and_the_steps_are_found_in_them() -> None:
    lines = PlainLines()
    made = [
        *lines.feed(Trace((Vertex("a", "[1/3] FROM busybox", started=1), Vertex("z", "not begun")))),
        *lines.feed(Trace((Vertex("a", "[1/3] FROM busybox", cached=True, started=1, completed=1),))),
        *lines.feed(
            Trace(
                (Vertex("b", "[2/3] RUN make", started=2),),
                (Status("b", "layer", 10, 2000, started=2, at=2.5), Status("b", "layer", 1500, 2000, started=2, at=9)),
                (Log("b", b"one\ntw", 2.5),),
            )
        ),
        *lines.feed(Trace((), (Status("b", "layer", 2000, 2000, 2, 12),) * 2, (Log("b", b"o\r\nrest", 3),))),
        *lines.feed(Trace((Vertex("b", "[2/3] RUN make", started=2, completed=4.25),), (), (), (Warned("b", "odd"),))),
        *lines.feed(Trace((Vertex("b", "[2/3] RUN make", started=2, completed=4.25),))),
        *lines.feed(Trace((Vertex("b", "[2/3] RUN make", started=5, completed=6),))),
        *lines.feed(Trace((Vertex("c", "[3/3] RUN fail", started=5), Vertex("d", "other", started=5)))),
        *lines.feed(
            Trace(
                (
                    Vertex("c", "[3/3] RUN fail", started=5, completed=6, error="exit code: 9"),
                    Vertex("d", "other", started=5, completed=6, error="rpc: context canceled"),
                )
            )
        ),
    ]
    assert made == [
        "#1 [1/3] FROM busybox", "#1 CACHED", "#2 [2/3] RUN make", "#2 layer 1.50kB / 2.00kB 7.0s", "#2 0.500 one",
        "#2 layer 2.00kB 10.0s done", "#2 1.000 two", "#2 WARN: odd", "#2 2.250 rest", "#2 DONE 2.2s", "#2 DONE 3.2s",
        "#3 [3/3] RUN fail", "#4 other", "#3 ERROR: exit code: 9", "#4 CANCELED",
    ]  # fmt: skip
    reader = StepReader(lambda: 0.0)
    for line in made:
        reader.add(line)
    assert [(step.name, step.state) for step in reader.steps] == [
        ("[1/3] FROM busybox", "cached"), ("[2/3] RUN make", "done"), ("[3/3] RUN fail", "failed"),
        ("other", "cancelled"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("patterns", "meant", "not_meant"),
    [
        (["node_modules"], ["node_modules", "node_modules/a/b"], ["x/node_modules", "node_modules2"]),
        (["**/node_modules"], ["node_modules/a", "x/y/node_modules/b"], ["x/node_modules2"]),
        (["*.log"], ["a.log"], ["x/a.log", "a.logs"]),
        (["**/*.log"], ["a.log", "x/a.log"], ["a.log.txt"]),
        (["**.log"], ["a.log", "x/a.log"], ["a.txt"]),
        (["*", "!src", "src/secret"], ["a", "a/b", "src/secret/x"], ["src", "src/x"]),
        (["a/**", "!a/b.txt"], ["a/x", "a/c/d"], ["a", "a/b.txt"]),
        (["/x/../y", "./z/"], ["z/a"], ["y/x"]),
        (["t?m", "[a-c].x", "[^a]y", "\\*"], ["tim", "b.x", "by", "*"], ["t/m", "d.x", "ay", "b"]),
        (["a+(b)|{c}$.d"], ["a+(b)|{c}$.d"], ["a+(b)|{c}$xd"]),
        ([" \t", "", "  spaced  "], ["spaced"], ["other"]),
    ],
)
def test_patterns(patterns: list[str], meant: list[str], not_meant: list[str]) -> None:
    def matches(path: str) -> bool:
        found, above = False, tuple[bool, ...]()
        for index, sign in enumerate(f"{path}/"):
            if sign == "/":
                found, above = made.match(path[:index], above)
        return found

    made = Patterns(patterns)
    assert [path for path in (*meant, *not_meant) if matches(path)] == meant


@pytest.mark.filterwarnings("error")
@given(st.lists(st.text("ab*?[]^!\\/.-&~|", max_size=8), max_size=4), st.text("ab/.-", min_size=1, max_size=8))
def test_any_pattern_is_usable_or_refused(patterns: list[str], path: str) -> None:
    try:
        made = Patterns(patterns)
    except ValueError:
        return
    made.match(path, ())
    made.may_begin_in(path, exception=True)


def names(top: Path, **wanted: Any) -> list[str]:
    return [os.fsdecode(entry.path) for entry in walk(str(top), Wanted(**wanted))]


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A folder with a bit of everything."""
    top = tmp_path / "files"
    for path in ("Dockerfile", "a-b", "a/deep/er/x.txt", "a/y", "node_modules/z/index.js", "node_modules/keep.txt"):
        (top / path).parent.mkdir(parents=True, exist_ok=True)
        (top / path).write_text(path)
    (top / "link").symlink_to("a/y")
    os.mkfifo(top / "pipe")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(top / "sock"))
    return top


def test_files_come_in_the_order_that_is_wanted_without_sockets(tree: Path) -> None:
    assert names(tree) == [
        "Dockerfile", "a", "a/deep", "a/deep/er", "a/deep/er/x.txt", "a/y", "a-b", "link", "node_modules",
        "node_modules/keep.txt", "node_modules/z", "node_modules/z/index.js", "pipe",
    ]  # fmt: skip
    assert names(tree, excludes=("a", "node_modules", "!node_modules/keep.txt", "pipe")) == [
        "Dockerfile", "a-b", "link", "node_modules", "node_modules/keep.txt",
    ]  # fmt: skip
    assert names(tree, excludes=("*", "!**/*.txt")) == [
        "a", "a/deep", "a/deep/er", "a/deep/er/x.txt", "node_modules", "node_modules/keep.txt",
    ]  # fmt: skip
    assert names(tree, follow=("Dockerfile", "Dockerfile.dockerignore", "dockerfile")) == ["Dockerfile"]
    assert names(tree, follow=("a/deep/er",)) == ["a", "a/deep", "a/deep/er", "a/deep/er/x.txt"]
    for everything in ("link", "/", "*", "l*"):
        assert names(tree, follow=(everything,)) == names(tree)
    with pytest.raises(ValueError, match="without a"):
        names(tree, excludes=("[a",))


def test_what_is_said_of_a_file(tree: Path) -> None:
    (tree / "a/y").chmod(0o4755)
    os.utime(tree / "a/y", ns=(1, 1_700_000_000_000_000_123))
    found = {os.fsdecode(entry.path): dict(fields(entry.packed())) for entry in walk(str(tree), Wanted())}
    assert found["a/y"] == {1: b"a/y", 2: 1 << 23 | 0o755, 5: 3, 6: 1_700_000_000_000_000_123}
    assert found["a"][2] == 1 << 31 | (tree / "a").stat().st_mode & 0o777
    assert found["link"][7] == b"a/y"
    assert found["link"][2] == 1 << 27 | 0o777
    assert found["pipe"][2] == 1 << 25 | (tree / "pipe").stat().st_mode & 0o777


def job(**given_fields: Any) -> BuildJob:
    return BuildJob(**{"name": "api", "image": "api", "source": BuildSource(dockerfile="FROM a\n"), **given_fields})


def asked(api: tuple[int, int] = NEW, text: str = "FROM a\n", **given_fields: Any) -> list[tuple[str, str]]:
    from pathlib import Path

    return parameters(job(**given_fields), Files(Path("/files"), Path("/context/Dockerfile"), text, "c0ffee"), api)


def test_a_build_as_the_api_has_it() -> None:
    assert asked() == [
        ("version", "2"), ("dockerfile", "Dockerfile"),
        ("labels", '{"komodo.build":"api","org.opencontainers.image.revision":"c0ffee"}'),
    ]  # fmt: skip
    found = asked(
        text="FROM a\nARG VERSION\n", version="1.2.3", arguments={"A": "b c"}, labels={"l": "x"}, target="last",
        platforms=("linux/arm64",), cache_from=("reg.example/api:1", "type=registry,ref=reg.example/api:2"), pull=True,
        no_cache=True,
        extra=("--network=none", "--add-host", "db:10.0.0.1", "--add-host=v=10.0.0.2", "--build-arg", "C=d=e",
               "--label=m=y", "--shm-size", "64m", "--ulimit", "nofile=1024:2048", "--cache-from", "api:3"),
    )  # fmt: skip
    assert dict(found) | {"labels": ""} == {
        "version": "2", "dockerfile": "Dockerfile", "buildargs": '{"A":"b c","VERSION":"1.2.3","C":"d=e"}',
        "labels": "",
        "cachefrom": '["reg.example/api:1","reg.example/api:2","api:3"]', "target": "last", "platform": "linux/arm64",
        "ulimits": '[{"Name":"nofile","Soft":1024,"Hard":2048}]', "nocache": "1", "pull": "1", "networkmode": "none",
        "shmsize": str(64 << 20), "extrahosts": "v:10.0.0.2",
    }  # fmt: skip
    assert [value for key, value in found if key == "extrahosts"] == ["db:10.0.0.1", "v:10.0.0.2"]
    assert '"l":"x","m":"y"' in dict(found)["labels"]
    assert dict(asked(extra=("--no-cache", "--pull=true", "--target", "one")))["target"] == "one"


@pytest.mark.parametrize(
    ("given_fields", "words"),
    [
        ({"extra": ("--ssh", "default")}, "--ssh: the engine's own BuildKit cannot be told that"),
        ({"extra": ("--memory=1g",)}, "--memory"),
        ({"extra": ("stray",)}, "stray"),
        ({"extra": ("--network",)}, "has no value"),
        ({"extra": ("--build-arg", "FROM_MY_SHELL")}, "has no value"),
        ({"extra": ("--shm-size", "much")}, "no size"),
        ({"extra": ("--ulimit", "nofile")}, "no limit"),
        ({"platforms": ("linux/amd64", "linux/arm64")}, "several platforms"),
        ({"cache_from": ("type=gha",)}, "takes images only"),
        ({"extra": ("--cache-from=type=local,src=/x",)}, "takes images only"),
    ],
)
def test_what_the_api_has_not_is_refused(given_fields: dict[str, Any], words: str) -> None:
    with pytest.raises(AgentError, match=re.escape(words)) as caught:
        check_request(job(**given_fields), NEW)
    assert caught.value.code == "bad_request"


def test_limits_are_refused_where_the_engine_would_pass_over_them() -> None:
    for words in (("--shm-size=64m",), ("--ulimit=nofile=1",)):
        Extra(words, NEW)
        with pytest.raises(AgentError, match=r"API 1\.41"):
            Extra(words, OLD)
