"""Runs as lines, beside each other, and what a new run takes over from one that failed."""

from __future__ import annotations

import importlib
import inspect
import re
from typing import TYPE_CHECKING, Any

import msgspec

from komodo_tui.domain.operations import Actor, Target
from komodo_tui.domain.procedures import journal as j
from komodo_tui.domain.procedures import steps
from komodo_tui.domain.procedures.again import carried_over
from komodo_tui.domain.procedures.compare import compared
from komodo_tui.domain.procedures.figures import expected_seconds, well_text
from komodo_tui.domain.procedures.model import ProcedureDefinition
from komodo_tui.domain.procedures.progress import RunProgress
from komodo_tui.domain.procedures.reference import kinds
from komodo_tui.operations.procedures import registry
from komodo_tui.operations.procedures.alone import alone
from komodo_tui.operations.procedures.registry import spread_kind
from komodo_tui.ui.procedures.outline import lines_of, moved, without
from komodo_tui.ui.procedures.step_forms import form_fields, from_form

if TYPE_CHECKING:
    from collections.abc import Sequence

A, B = Target(server="a", name="web"), Target(server="b", name="web")
DEFINITION = msgspec.convert(
    {
        "name": "p",
        "stages": [
            {"name": "one", "steps": [{"sleep": {"seconds": "1s"}}]},
            {"name": "two", "steps": [{"exec": {"match": "web", "command": "x"}}, {"sleep": {"seconds": "2s"}}]},
            {"name": "rescue", "on": "failure", "steps": [{"sleep": {"seconds": "0s"}}]},
        ],
    },
    ProcedureDefinition,
)


def entries(*, failed: bool = False, seconds: float = 1.0, **fields: Any) -> list[j.Entry]:
    """A run of it; on b the command failed, or not."""
    end: Any = "failed" if failed else "success"
    return [
        j.RunStarted(run="r", procedure="p", definition=msgspec.to_builtins(DEFINITION), parameters={"x": "1"},
                     actor=Actor(name="ana"), pid=1, **fields),
        j.StageStarted(stage=0),
        j.StepStarted(stage=0, step=0),
        j.StepEnded(stage=0, step=0, end="success"),
        j.StageEnded(stage=0, end="success"),
        j.StageStarted(stage=1),
        j.StepStarted(stage=1, step=0, targets=(A, B)),
        j.TargetStarted(stage=1, step=0, target=A, attempt=1),
        j.TargetStarted(stage=1, step=0, target=B, attempt=1),
        j.TargetMoved(stage=1, step=0, target=A, status="done"),
        j.TargetEnded(stage=1, step=0, target=A, attempt=1, end="success", seconds=seconds),
        j.TargetEnded(stage=1, step=0, target=B, attempt=1, end=end, error="no" if failed else "", seconds=seconds),
        j.StepEnded(stage=1, step=0, end=end, summary="1 of 2 done" if failed else "2 done"),
        j.StepStarted(stage=1, step=1),
        j.StepEnded(stage=1, step=1, end="success"),
        j.StageEnded(stage=1, end=end),
        j.StageEnded(stage=2, end="skipped"),
        j.RunEnded(outcome=end),
    ]  # fmt: skip


def progress(all_of: Sequence[j.Entry]) -> RunProgress:
    """It, one entry a second."""
    found = RunProgress()
    found.take((number, float(number), entry) for number, entry in enumerate(all_of, 1))
    return found


def test_a_run_is_stages_steps_and_targets_in_their_order() -> None:
    found = progress(entries(failed=True))
    lines = [(line.depth, line.title, line.end) for _, line in sorted(found.lines.items())]
    assert lines == [
        (0, "stage one", "success"), (1, "sleep", "success"), (0, "stage two", "failed"), (1, "exec", "failed"),
        (2, "web@a", "success"), (2, "web@b", "failed"), (1, "sleep", "success"), (0, "stage rescue", "skipped"),
        (1, "sleep", "waiting"),
    ]  # fmt: skip
    assert [target.summary for target in found.targets(found.steps[1])] == ["", "no"]
    assert list(found.servers) == ["a", "b"]
    assert set(found.changed()) == set(found.lines)
    assert found.changed() == {}


def test_a_step_that_asks_is_found_until_it_is_answered() -> None:
    asked = [*entries()[:2], j.StepStarted(stage=0, step=0, asks="go?", until=9.0)]
    asking = progress(asked).asking
    assert asking is not None
    assert (asking.summary, asking.until) == ("go?", 9.0)
    assert progress([*asked, j.StepEnded(stage=0, step=0, end="success")]).asking is None


def test_a_run_beside_a_good_one_tells_what_differs() -> None:
    good = progress(entries())
    told = compared(progress(entries(failed=True, servers=("a",))), good, 99.0)
    assert "servers: all then, a" in told
    assert "stage two / exec: success then, failed: 1 of 2 done" in told
    assert "stage two / exec, web@b: success then, failed: no" in told
    assert compared(progress(entries()), good, 99.0)[1:] == ["nothing differs but the times"]


def test_a_new_run_takes_over_what_went_well() -> None:
    kept = carried_over(DEFINITION, entries(failed=True))
    assert [entry.stage for entry in kept if isinstance(entry, j.StageEnded)] == [0]
    assert [(e.stage, e.step) for e in kept if isinstance(e, j.StepEnded)] == [(0, 0), (1, 1)]
    assert [e.target for e in kept if isinstance(e, j.TargetEnded)] == [A]
    begun = [e for e in kept if isinstance(e, j.StepStarted) and e.targets]
    assert [e.targets for e in begun] == [(A, B)]  # the same targets, not what would be picked now


def test_figures_of_a_procedure() -> None:
    def run(name: str, outcome: Any, took: float) -> j.RunSummary:
        return j.RunSummary(run=name, procedure="p", started=0.0, ended=took, outcome=outcome)

    runs = [run("a", "success", 10.0), run("b", "failed", 1.0), run("c", "success", 30.0), run("a.1.1", "failed", 0.0)]
    assert well_text(runs) == "66%"
    assert expected_seconds(runs) == 20.0
    assert (well_text([]), expected_seconds([])) == ("-", None)


def test_every_kind_goes_through_its_form_unchanged() -> None:
    samples: dict[str, dict[str, Any]] = {
        "exec": {"match": "a", "command": "sh -c 'x y'", "environment": {"K": "v w"}, "idempotent": True, "retries": 2},
        "restart_containers": {"match": ["a b", "c"], "state": "running", "batch": 2, "none": "warn"},
        "procedure": {"procedure": "q", "parameters": {"a": "b=c"}},
        "script": {"script": "a\n  b", "interpreter": "bash -e"},
    }
    for kind, help in kinds().items():
        plain = samples.get(kind)
        if plain is None:
            continue
        step = msgspec.convert(plain, help.type)
        values = {field.id: field.value for field in form_fields(step, {})}
        assert msgspec.to_builtins(from_form(help.type, values)) == msgspec.to_builtins(step)
    assert all(help.help and help.fields for help in kinds().values())


def test_an_outline_is_changed_line_by_line() -> None:
    assert [line.what for line in lines_of(DEFINITION)][:4] == ["p", "+ a parameter", "stage one", "sleep"]
    less = without(DEFINITION, ("step", 1, 0))
    assert less is not None
    assert [entry.kind for entry in less.stages[1].steps] == ["sleep"]
    assert without(DEFINITION, ("procedure", 0, 0)) is None
    up = moved(DEFINITION, ("step", 1, 0), -1)  # into the stage before
    assert up is not None
    assert up[1] == ("step", 0, 1)
    assert [len(stage.steps) for stage in up[0].stages] == [2, 1, 1]
    assert moved(DEFINITION, ("stage", 0, 0), -1) is None


def test_every_kind_is_done_by_something() -> None:
    needed: dict[str, Any] = {"command": "x", "stack": "s", "repo": "r"}
    for kind, help in kinds().items():
        fields = {f.name: needed.get(f.name, "x") for f in help.fields if f.default is msgspec.NODEFAULT}
        step = help.type(**fields)
        if isinstance(step, steps.Spread) and not isinstance(step, steps.Wait):
            assert spread_kind(step).works is not None
        elif not isinstance(step, steps.Procedure):
            assert callable(alone(step)), kind
    source = inspect.getsource(registry)
    for module, name in re.findall(r'_late\("(\w+)", "(\w+)"\)', source):
        assert hasattr(importlib.import_module(f"komodo_tui.operations.procedures.{module}"), name), (module, name)
