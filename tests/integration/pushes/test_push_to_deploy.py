"""A push to a real repository over a real sshd changes what a container on another server serves."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

import pytest

from tests.integration.pushes.lab import SITE

if TYPE_CHECKING:
    from tests.integration.pushes.lab import Watching
    from tests.unit.repos.lab import Author

pytestmark = pytest.mark.rig

STACK = {"name": "shop", "servers": ["web"], "git": {"repo": "shop"}, "health": {"window": 15, "steady": 0.3}}


def site(author: Author, text: str) -> str:
    (author.work / "www").mkdir(exist_ok=True)
    return author.push(text, **{"compose.yaml": SITE, "www/index.html": f"{text}\n"})


def test_a_polled_push_and_a_signed_webhook(watching: Watching, author: Author) -> None:
    site(author, "one")
    watching.secret()
    watching.define(STACK, poll="5s", on_push=[{"deploy": "shop"}])
    watching("deploy", "shop", "--yes")
    assert watching.page() == "one"
    watching.start()
    watching.until(lambda: '"commit"' in watching("repo", "pushes", "--json"))
    site(author, "two")
    watching.until_page("two")
    watching.until_said("push to shop: done")

    watching.define(STACK, poll="")
    third = site(author, "three")
    assert watching.hook(third, secret="wrong") == 401
    assert watching.hook(third, id="first") == 202
    watching.until_page("three")
    assert watching.hook(third, id="first") == 200
    assert watching.hook(third, id="again") == 200
    assert watching.said.count("accepted") == 1
    watching.stop(signal.SIGKILL)

    watching.define(STACK, poll="1h")  # by cron, then
    watching("watch", "--once")
    site(author, "four")
    assert "push to shop: done" in watching("watch", "--once")
    assert watching.page() == "four"
