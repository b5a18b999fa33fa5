"""A push to a real repository over a real sshd changes what a container on another server serves."""

from __future__ import annotations

import json
import signal
from typing import TYPE_CHECKING, Any

import pytest

from tests.integration.pushes.lab import SITE
from tests.integration.pushes.test_killed import noting

if TYPE_CHECKING:
    from pathlib import Path

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
    taken_to_be_planned(watching, author)
    watching.stop(signal.SIGKILL)

    watching.define(STACK, poll="1h")  # by cron, then
    watching("watch", "--once")
    site(author, "four")
    assert "push to shop: done" in watching("watch", "--once")
    assert watching.page() == "four"


def taken_to_be_planned(watching: Watching, author: Author) -> None:
    """A commit that wants a value which the deploy was not sent: nothing is done before it has been planned with it."""
    before = len(deploys(watching))
    watching("var", "set", "GREETING", "from a value", "--yes")
    served = SITE.replace(
        '[httpd, -f, -p, "80", -h, /www]', "sh -c 'echo \"$$SAID\" > /www/index.html; httpd -f -h /www'"
    )
    text = served.replace(":/www:ro", ":/www") + '    environment: {SAID: "[[GREETING]]"}\n'
    assert watching.hook(author.push("a value", **{"compose.yaml": text})) == 202
    watching.until_page("from a value")
    watching.until_said("push to shop: done", 3)
    planned, left = deploys(watching)[:-before]
    assert [step["result"].get("left", "") for act in (left, planned) for step in act["steps"]] == [
        "values for GREETING", ""]  # fmt: skip
    watching.define(STACK)
    assert watching.hook(site(author, "three again")) == 202
    watching.until_page("three again")
    watching.until_said("push to shop: done", 4)


def deploys(watching: Watching) -> list[dict[str, Any]]:
    """The acts that are deploys, newest first."""
    acts = [json.loads(line) for line in watching("actions", "--json").splitlines()]
    assert all(act["outcome"] == "success" for act in acts), acts
    return [act for act in acts if act["act"] == "deploy"]


def test_a_push_builds_an_image_that_runs_then_and_runs_a_procedure(
    watching: Watching, author: Author, tmp_path: Path
) -> None:
    (author.work / "app").mkdir()
    push(author, "one")
    watching.secret()
    build = {"name": "api", "repo": "shop", "path": "app", "server": "web", "redeploy_on_build": ["front"]}
    front = {"name": "front", "servers": ["web"], "build": "api", "restart": "no", "health": STACK["health"]}
    act = [{"build": "api", "paths": ["app/"]},
           {"procedure": "note", "paths": ["docs/**"], "parameters": {"commit": "{commit}"}}]  # fmt: skip
    watching.define(
        builds=[build], deployments=[front], procedures=[noting(tmp_path / "notes")], on_push=act, servers=["web"],
        poll="",
    )  # fmt: skip
    watching.start()
    first = push(author, "two")
    assert watching.hook(first) == 202  # nothing is known of what came before: all of it is done
    watching.until_said("push to shop: done")
    assert watching.web.docker("exec", "front", "cat", "/page") == "two\n"
    (author.work / "docs").mkdir()
    commit = author.push("docs alone", **{"docs/README.md": "x\n"})
    assert watching.hook(commit) == 202
    watching.until_said("push to shop: done", 2)
    assert (tmp_path / "notes").read_text().split() == [first, commit]
    (docs, built) = json.loads(watching("repo", "pushes", "shop", "--json"))["pushes"]
    steps = [watching("procedure", "log", push["run"]) for push in (docs, built)]
    assert "pull" in steps[0]
    assert ("build" in steps[0], "build" in steps[1]) == (False, True)


def push(author: Author, text: str) -> str:
    files = {"app/Dockerfile": 'FROM busybox\nCOPY page /page\nCMD ["sleep", "999"]\n', "app/page": f"{text}\n"}
    return author.push(text, **files)
