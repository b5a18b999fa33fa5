"""From a commit to where it runs."""

from __future__ import annotations

import msgspec

from komodo_agent.wire.builds import LABEL
from komodo_agent.wire.models import Container
from komodo_tui.domain.delivery import REVISION, VERSION, Built, deliveries, parse_deliveries, stamp


def container(image: str, name: str, state: str = "running", **labels: str) -> Container:
    """One of an image; ``stack`` and ``revision`` by name."""
    known = {"stack": "com.docker.compose.project", "revision": REVISION, "version": VERSION, "build": LABEL}
    return Container(
        id=f"id-{name}", name=name, image="registry.example/shop/web:2", image_id=image, state=state,  # type: ignore[arg-type]
        labels={known[key]: value for key, value in labels.items()},
    )  # fmt: skip


def built(number: int, outcome: str = "success", name: str = "api", image: str = "") -> Built:
    """Version 0.1.N, of commit cN, as image iN."""
    return Built(
        id=f"act-{name}-{number}", name=name, version=f"0.1.{number}", at=1000.0 + number, outcome=outcome,
        commit=f"c{number}", image=(image or f"i{number}") if outcome == "success" else "",
    )  # fmt: skip


def test_each_commit_stands_where_it_runs() -> None:
    runs = [built(4, "failed"), built(3), built(2), built(1)]
    here = [
        ("web-1", container("i3", "shop-api-1", stack="shop")),
        ("web-1", container("i3", "shop-api-2", stack="shop")),
        ("web-2", container("i1", "api")),
        ("web-2", container("i3", "old", state="exited")),
    ]
    failed, newest, old = deliveries(runs, here, {"i3": ("build", "web-1"), "i1": ("web-2",)})
    assert (failed.version, failed.state, failed.where) == ("0.1.4", "failed", "")
    assert (newest.version, newest.state, newest.where, newest.on) == (
        "0.1.3", "live", "shop@web-1 ×2", ("build", "web-1"),
    )  # fmt: skip
    assert (old.version, old.commit, old.state, old.where) == ("0.1.1", "c1", "older", "api@web-2")


def test_what_is_built_and_runs_nowhere_or_is_under_way() -> None:
    runs = [built(2, ""), built(1), built(1, name="web")]
    assert [(one.name, one.version, one.state) for one in deliveries(runs, [])] == [
        ("api", "0.1.2", "building"),
        ("api", "0.1.1", "nowhere"),
        ("web", "0.1.1", "nowhere"),
    ]


def test_the_same_image_built_again_stands_once() -> None:
    runs = [built(2, image="same"), built(1, image="same")]
    (one,) = deliveries(runs, [("web-1", container("same", "api"))])
    assert (one.version, one.state, one.where) == ("0.1.2", "live", "api@web-1")


def test_an_image_of_elsewhere_says_its_commit_itself() -> None:
    strange = container("x9", "web", revision="abc", version="2.0")
    plain = container("y1", "db")
    (one,) = deliveries([], [("web-1", strange), ("web-1", plain)])
    assert (one.name, one.version, one.commit, one.state, one.built) == ("web", "2.0", "abc", "live", None)


def test_an_engine_that_calls_the_image_otherwise_runs_the_same_build() -> None:
    """One with containerd's store names an image by its manifest, others by its configuration: its labels tell."""
    new, old = (msgspec.structs.replace(built(n), references=(f"shop/web:{n}", "shop/web:latest")) for n in (2, 1))
    labels = {"build": "api", "revision": "c2", "version": "0.1.2"}
    there = container("m2", "api", stack="shop", **labels)
    derived = msgspec.structs.replace(container("d1", "more", **labels), image="shop/more:1")
    having = {"i2": ("build",), stamp(there.labels, "registry.example/shop/web:2"): ("web-1", "web-2")}
    found = deliveries([new, old], [("web-1", there), ("web-2", derived)], having)
    assert [(one.name, one.version, one.state, one.where, one.on) for one in found] == [
        ("api", "0.1.2", "live", "shop@web-1", ("build", "web-1", "web-2")),
        ("more", "0.1.2", "live", "more@web-2", ()),
    ]


def test_filter() -> None:
    (one,) = deliveries([built(1)], [("web-1", container("i1", "api", stack="shop"))])
    assert parse_deliveries("shop@web-1")(one)
    assert parse_deliveries("live c1")(one)
    assert not parse_deliveries("!live")(one)
