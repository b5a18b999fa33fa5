"""Where an image runs, and what is asked where it does not."""

from __future__ import annotations

import pytest

from komodo_tui.domain.confirm import required
from komodo_tui.domain.platforms import runs
from komodo_tui.domain.settings import ConfirmPolicy, ConfirmRule
from komodo_tui.domain.shipping import ShipOperation, ShipTarget


@pytest.mark.parametrize(
    ("image", "server", "fits"),
    [
        ("linux/amd64", "linux/x86_64", True),
        ("linux/arm64/v8", "linux/aarch64", True),
        ("linux/arm64", "linux/x86_64", False),
        ("linux/amd64", "linux/aarch64", False),
        ("windows/amd64", "linux/x86_64", False),
        ("linux/386", "linux/x86_64", True),
        ("linux/amd64", "linux/i686", False),
        ("linux/arm/v7", "linux/aarch64", True),
        ("linux/arm/v6", "linux/armv7l", True),
        ("linux/arm/v7", "linux/armv6l", False),
        ("linux/riscv64", "linux/riscv64", True),
        ("", "linux/x86_64", True),
        ("linux/arm64", "", True),
        ("linux", "/", True),
    ],
)
def test_runs(image: str, server: str, fits: bool) -> None:
    assert runs(image, server) is fits


@pytest.mark.parametrize(("platform", "asked"), [("linux/x86_64", "none"), ("linux/aarch64", "yes")])
def test_an_image_that_would_not_run_wants_a_yes_whatever_the_policy(platform: str, asked: str) -> None:
    rule = ConfirmRule(start="none", change="none", harm="none")
    targets = (ShipTarget(server="b", platform=platform),)
    operation = ShipOperation(image="a:1", id="sha256:1", source="a", platform="linux/amd64", targets=targets)
    assert required(ConfirmPolicy(default=rule), operation, ()) == asked
