"""The agent's compose, where no engine is needed: health, paths, masks, resolved configurations."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from komodo_agent.compose.cli import Masker
from komodo_agent.compose.folder import StackFolder
from komodo_agent.compose.health import judge
from komodo_agent.compose.model import parse_model, unset_variables
from komodo_agent.compose.mounted import unseen
from komodo_agent.compose.names import check_path
from komodo_agent.problems import AgentError
from komodo_agent.wire.compose import Revision, RevisionSummary, StackFile
from komodo_agent.wire.compose_changes import FileChange, ServiceChange
from komodo_agent.wire.models import Container

if TYPE_CHECKING:
    from pathlib import Path


def container(name: str, state: str = "running", service: str = "web", **fields: Any) -> Container:
    labels = {"com.docker.compose.service": service}
    return Container(id=name, name=name, image="x", state=state, labels=labels, **fields)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("containers", "good", "hopeless", "words"),
    [
        ([container("a"), container("b")], True, False, ""),
        ([container("a")], False, False, "web has 1 of 2 containers"),
        ([container("a", health="starting"), container("b")], False, False, "a is running (starting)"),
        ([container("a", health="unhealthy"), container("b")], False, True, "a is unhealthy"),
        ([container("a", "exited", exit_code=0), container("b")], True, False, ""),
        ([container("a", "exited", exit_code=0, restart_policy="always"), container("b")], False, False,
         "a is exited (0)"),
        ([container("a", "exited", exit_code=9), container("b")], False, True, "a ended with code 9"),
        ([container("a", restarts=4), container("b")], False, True, "a restarts again and again"),
        ([container("a", restarts=3), container("b")], True, False, ""),
        ([container("a"), container("b"), container("c", "exited", "ignored", exit_code=1)], True, False, ""),
    ],
)  # fmt: skip
def test_verdict(containers: list[Container], good: bool, hopeless: bool, words: str) -> None:
    verdict = judge(containers, {"web": 2, "ignored": 1}, {"ignored"}, {"a": 2})
    assert (verdict.good, verdict.hopeless, verdict.words) == (good, hopeless, words)


@pytest.mark.parametrize("path", ["../x", "a/../b", "/etc/passwd", "", "a//b", "./a", "a\n", "a/$(x)", "a" * 600])
def test_paths_that_lead_elsewhere_are_refused(path: str) -> None:
    with pytest.raises(AgentError):
        check_path(path)


@given(st.text(max_size=40))
def test_a_path_that_is_taken_stays_below_its_folder(path: str) -> None:
    try:
        check_path(path)
    except AgentError:
        return
    assert not path.startswith("/")
    assert ".." not in path.split("/")


def test_nothing_is_written_through_a_link(tmp_path: Path) -> None:
    kept = StackFolder(tmp_path / "stacks", "shop")
    kept.make()
    (tmp_path / "elsewhere").mkdir()
    (kept.files / "conf").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(AgentError, match="nothing is written through it"):
        kept.place([StackFile(path="conf/a", content="x")], ())
    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_revisions_are_pruned_but_the_last_good_one(tmp_path: Path) -> None:
    kept = StackFolder(tmp_path / "stacks", "shop")
    kept.make()
    for number, outcome in enumerate(["success", "failed", "rolled_back", "running"], 1):
        summary = RevisionSummary(number=number, started=float(number), outcome=outcome)  # type: ignore[arg-type]
        kept.save(Revision(summary=summary))
    kept.settle()
    kept.prune(2)
    left = {r.summary.number: r.summary.outcome for r in kept.revisions()}
    assert left == {1: "success", 3: "rolled_back", 4: "interrupted"}
    assert kept.next_number() == 5


def test_only_one_holds_a_project(tmp_path: Path) -> None:
    first, second = (StackFolder(tmp_path / "stacks", "shop") for _ in range(2))
    with first.lock(), pytest.raises(AgentError, match="another job works on shop"), second.lock():
        pass
    with second.lock():
        assert first.busy()
    assert not first.busy()


def test_masks_take_every_line_and_the_longest_first() -> None:
    masked = Masker(
        {"A": "secret-one\nsecret-two", "B": "secret-one-and-more", "C": "abc", "D": "shown"}, ("A", "B", "C")
    )
    assert masked("secret-one-and-more secret-two abc shown") == "••• ••• abc shown"


def test_a_configuration_is_read_for_what_matters() -> None:
    document = {
        "services": {
            "web": {
                "image": "httpd", "privileged": True, "scale": 2,
                "ports": [{"target": 80, "published": "8080", "host_ip": "127.0.0.1"}, {"target": 1}],
                "volumes": [{"type": "bind", "source": "/var/run/docker.sock"}, {"type": "volume", "source": "data"}],
            }
        },
        "volumes": {"data": {"name": "shop_data"}, "old": {"name": "old", "external": True}},
        "networks": {"default": {"name": "shop_default"}, "front": {"external": True, "name": "front"}},
    }  # fmt: skip
    model = parse_model(json.dumps(document), "shop")
    web = model.services["web"]
    assert [(p.port, p.ip) for p in web.ports] == [(8080, "127.0.0.1")]
    assert (web.replicas, web.binds, web.volumes) == (2, ("/var/run/docker.sock",), ("data",))
    assert len(web.risks) == 2
    assert (model.volumes, model.external) == ({"data": "shop_data"}, (("volume", "old"), ("network", "front")))
    with pytest.raises(AgentError):
        parse_model("[]", "shop")


def test_unset_variables_are_named_once() -> None:
    line = 'time="x" level=warning msg="The \\"{}\\" variable is not set. Defaulting to a blank string."'
    assert unset_variables("\n".join([line.format("B"), line.format("A"), line.format("B")])) == ("B", "A")


def test_a_file_that_a_kept_service_mounts_is_told() -> None:
    model = parse_model(
        json.dumps(
            {
                "services": {
                    "web": {"image": "x", "volumes": [{"type": "bind", "source": "/s/conf/a.conf", "target": "/a"}]},
                    "db": {"image": "x", "volumes": [{"type": "bind", "source": "/s/conf", "target": "/c"}]},
                }
            }
        ),
        "shop",
    )
    changes = [
        ServiceChange(service="web", verb="keep", containers=("shop-web-1",)),
        ServiceChange(service="db", verb="recreate", containers=("shop-db-1",)),
    ]
    files = [
        FileChange(path=path, change="changed") for path in ("compose.yaml", "conf/a.conf", "conf/a.conf.bak", "other")
    ]
    told = list(unseen("/s", files, ("compose.yaml",), model.services, changes))
    assert told == ["conf/a.conf changes, and web, which mounts it, goes on as it is: restart it afterwards"]
