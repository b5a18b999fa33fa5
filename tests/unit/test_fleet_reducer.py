"""What the feed's messages make of what is known of a server."""

from __future__ import annotations

import pytest

from komodo_agent.wire.feed import ContainersChanged, FeedMessage, JobChanged, Samples, Snapshot
from komodo_agent.wire.jobs import Job
from komodo_agent.wire.models import Container, ContainerSample, ContainerState, Engine, Host
from komodo_tui.domain.servers import ServerDefinition
from komodo_tui.fleet.live import Changes, FleetState, Subscription

HOST = Host(hostname="alpha", os="Debian", kernel="6.1", arch="x86_64", cores=2, memory=1 << 30, booted=0.0)
SAMPLE = ContainerSample(1.0, 1 << 20, 0, 0.0, 0.0, None, None, 1)


def container(name: str, state: ContainerState = "running") -> Container:
    return Container(id=name * 64, name=name, image="app", state=state)


def snapshot(*containers: Container, jobs: tuple[Job, ...] = ()) -> Snapshot:
    samples = {c.id: SAMPLE for c in containers if c.state == "running"}
    return Snapshot(
        at=1.0, host=HOST, engine=Engine(status="up"), containers=containers, filesystems=(), samples=samples, jobs=jobs
    )


@pytest.fixture
def state() -> FleetState:
    state = FleetState()
    state.define(ServerDefinition(name="alpha", address="alpha"))
    return state


def told(state: FleetState, subscription: Subscription, *messages: FeedMessage) -> Changes:
    state.apply("alpha", messages)
    return subscription.take()


def test_second_snapshot_mid_feed_is_the_truth(state: FleetState) -> None:
    live, subscription = state.servers["alpha"], state.subscribe()
    a, b, c = container("a"), container("b"), container("c")
    first = told(state, subscription, snapshot(a, b))
    assert not first.events
    exited = container("b", "exited")
    changes = told(state, subscription, snapshot(c, exited))
    assert list(live.containers.values()) == [c, exited]
    assert list(live.samples) == [c.id]
    assert [event.text for event in changes.events] == ["c running", "b exited", "a removed"]
    assert changes.structure
    assert changes.removed == {("alpha", a.id)}
    assert changes.containers == {("alpha", c.id), ("alpha", exited.id)}


def test_snapshot_that_takes_figures_away_is_seen_on_that_container(state: FleetState) -> None:
    subscription = state.subscribe()
    a = container("a")
    told(state, subscription, snapshot(a))
    without = Snapshot(at=2.0, host=HOST, engine=Engine(status="up"), containers=(a,), filesystems=())
    changes = told(state, subscription, without)
    assert changes.containers == {("alpha", a.id)}
    assert not changes.structure


@pytest.mark.parametrize("ended", ["created", "exited", "dead", "restarting", "removing"])
def test_figures_of_a_container_that_does_not_run_are_dropped(state: FleetState, ended: ContainerState) -> None:
    live, subscription = state.servers["alpha"], state.subscribe()
    a = container("a")
    told(state, subscription, snapshot(a))
    stopped = container("a", ended)
    told(state, subscription, ContainersChanged(changed=(stopped,)), Samples(at=2.0, containers={a.id: SAMPLE}))
    assert live.samples == {}


def test_job_that_ended_unseen_does_not_run_for_ever(state: FleetState) -> None:
    live, subscription = state.servers["alpha"], state.subscribe()
    gone, seen = (Job(id=name, kind="pull", target=name, status="running") for name in ("gone", "seen"))
    told(state, subscription, snapshot(), JobChanged(job=gone), JobChanged(job=seen))
    done = Job(id="seen", kind="pull", target="seen", status="succeeded")
    changes = told(state, subscription, snapshot(jobs=(done,)))
    assert live.jobs == {"seen": done}
    assert [event.text for event in changes.events] == ["pull seen: succeeded"]
    assert not told(state, subscription, snapshot(jobs=(done,))).events


def test_new_figures_name_the_server_and_no_container(state: FleetState) -> None:
    live, subscription = state.servers["alpha"], state.subscribe()
    a = container("a")
    told(state, subscription, snapshot(a))
    busy = ContainerSample(50.0, 1 << 20, 0, 0.0, 0.0, None, None, 1)
    changes = told(state, subscription, Samples(at=2.0, containers={a.id: busy, "b" * 64: busy}))
    assert live.samples == {a.id: busy}
    assert (changes.figures, changes.containers) == ({"alpha"}, set())
