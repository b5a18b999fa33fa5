"""The steps of a build, read from what docker prints."""

from __future__ import annotations

from komodo_agent.wire.build_steps import StepReader

_BUILDKIT = """\
#1 [internal] load build definition from Dockerfile
#1 transferring dockerfile: 215B 0.0s done
#1 DONE 0.1s

#4 [build 1/3] FROM docker.io/library/busybox:latest
#4 CACHED

#5 [build 2/3] RUN slow
#6 [internal] load build context
#5 0.093 first
#6 transferring context: 31B done
#6 DONE 0.2s
#5 1.250 second
#5 DONE 1.3s

#7 [build 3/3] RUN make
#7 0.120 gcc: no such file
#7 ERROR: process "/bin/sh -c make" did not complete successfully: exit code: 2
------
 > [build 3/3] RUN make:
0.120 gcc: no such file
------
"""
_CLASSIC = """\
Sending build context to Docker daemon  4.096kB
Step 1/3 : FROM busybox
 ---> 1228854c536a
Step 2/3 : COPY a /a
 ---> Using cache
 ---> 577b1dfbebbf
Step 3/3 : RUN make
 ---> Running in 187c6f42efbb
gcc: no such file
"""


def read(text: str, *, ok: bool = True) -> tuple[StepReader, list[str]]:
    """All lines, one a second."""
    ticks = iter(range(1000))
    reader = StepReader(lambda: float(next(ticks)))
    told = [reader.add(line) for line in text.splitlines()]
    return reader, [line for line in (*told, reader.end(ok=ok)) if line]


def test_buildkit_steps_with_their_times_though_their_lines_are_mixed() -> None:
    reader, told = read(_BUILDKIT, ok=False)
    assert told == []
    assert [(step.name, step.seconds, step.state) for step in reader.steps][:4] == [
        ("[internal] load build definition from Dockerfile", 0.1, "done"),
        ("[build 1/3] FROM docker.io/library/busybox:latest", 0.0, "cached"),
        ("[build 2/3] RUN slow", 1.3, "done"),
        ("[internal] load build context", 0.2, "done"),
    ]
    name, lines = reader.failed
    assert name == "[build 3/3] RUN make"
    assert lines[0] == "gcc: no such file"
    assert "exit code: 2" in lines[1]


def test_how_far_buildkit_is() -> None:
    reader, _ = read("\n".join(_BUILDKIT.splitlines()[:12]))
    assert reader.share is not None
    assert round(reader.share, 2) == 0.33


def test_classic_steps_are_timed_here() -> None:
    reader, told = read(_CLASSIC, ok=False)
    states = [(step.name, step.state) for step in reader.steps]
    assert states == [
        ("[1/3] FROM busybox", "done"), ("[2/3] COPY a /a", "cached"), ("[3/3] RUN make", "failed"),
    ]  # fmt: skip
    assert told == [" ---> step 1/3 took 1.0 s", " ---> step 3/3 took 1.0 s"]
    assert reader.failed == ("[3/3] RUN make", (" ---> Running in 187c6f42efbb", "gcc: no such file"))


def test_a_build_that_was_stopped_fails_at_the_step_it_was_at() -> None:
    reader, _ = read("#1 [1/1] RUN sleep 100\n#1 0.1 waiting", ok=False)
    assert reader.failed == ("[1/1] RUN sleep 100", ("waiting",))


def test_what_ran_beside_the_step_that_failed_did_not_fail() -> None:
    lines = "#0 building with default\n#5 [a 1/1] RUN slow\n#6 [b 1/1] RUN bad\n#6 ERROR: exit code: 1\n"
    reader, _ = read(lines, ok=False)
    assert [(step.name, step.state) for step in reader.steps] == [
        ("[a 1/1] RUN slow", "cancelled"), ("[b 1/1] RUN bad", "failed"),
    ]  # fmt: skip
    assert reader.failed[0] == "[b 1/1] RUN bad"


def test_nothing_of_it_is_a_step() -> None:
    reader, told = read("hello\n#x\n#1\n\n")
    assert (reader.steps, reader.failed, reader.share, reader.now, told) == ((), ("", ()), None, "", [])
