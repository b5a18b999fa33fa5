"""Definitions in a real repository: applied, committed back, and kept equal by a watch that deploys them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from tests.integration.pushes.lab import SITE
from tests.unit.repos.lab import git

if TYPE_CHECKING:
    from tests.integration.pushes.lab import Watching
    from tests.unit.repos.lab import Author

pytestmark = pytest.mark.rig


def site(text: str, limit: int = 1) -> str:
    """A fleet file with a stack whose container serves a text."""
    served = f"sh -c 'mkdir -p /www; echo {text} > /www/index.html; httpd -f -p 80 -h /www'"
    lines = SITE.replace('[httpd, -f, -p, "80", -h, /www]', json.dumps(served)).splitlines()
    compose = "\n".join(f"      {line}" for line in lines if "volumes:" not in line)
    return (
        "# the fleet\nstacks:\n  - name: shop\n    servers: [web]\n    health: {window: 15, steady: 0.3}\n"
        f"    compose: |\n{compose}\n\n# how many\nvariables:\n  - name: LIMIT\n    value: '{limit}'\n"
    )


class Synced:
    """The sync ``fleet`` of the folder ``prod`` in the repo ``shop``."""

    def __init__(self, watching: Watching, author: Author) -> None:
        self.watching = watching
        self.author = author
        watching.define(poll="", webhook="")

    def define(self, **fields: Any) -> None:
        """Define it anew."""
        path = self.watching.home.parent / "sync.yaml"
        path.write_text(json.dumps({"syncs": [{"name": "fleet", "repo": "shop", "path": "prod", **fields}]}))
        self.watching("apply", "-f", str(path), "--yes")

    def push(self, text: str) -> str:
        """Push this as the fleet."""
        (self.author.work / "prod").mkdir(exist_ok=True)
        return self.author.push("change", **{"prod/fleet.yaml": text})

    def items(self) -> dict[str, str]:
        """The state of each item."""
        found = json.loads(self.watching("sync", "plan", "fleet", "--json"))["items"]
        return {f"{item['kind']} {item['name']}": item["state"] for item in found}


@pytest.fixture
def synced(watching: Watching, author: Author) -> Synced:
    return Synced(watching, author)


def test_from_a_push_to_a_page_and_a_change_here_back_to_the_repository(synced: Synced) -> None:
    watching = synced.watching
    synced.push(site("one"))
    synced.define(deploy=True)
    assert synced.items() == {"stack shop": "new", "variable LIMIT": "new"}
    watching("sync", "apply", "fleet", "--yes")
    assert watching.page() == "one"
    assert synced.items() == {}

    watching("var", "set", "LIMIT", "7", "--yes")
    assert synced.items() == {"variable LIMIT": "here"}
    watching("sync", "commit", "fleet", "-m", "Raise the limit", "--author", "Ana Lee <ana@example.com>", "--yes")
    assert synced.items() == {}
    assert git(synced.author.bare, "log", "-1", "--format=%an|%s", "main") == "Ana Lee|Raise the limit"
    text = git(synced.author.bare, "show", "main:prod/fleet.yaml")
    before, after = site("one").split("\n# how many")
    assert text.startswith(f"{before}\n# how many"), "the stack and the comments are as they were"
    assert yaml.safe_load(text)["variables"] == [{"name": "LIMIT", "value": "7"}]
    assert after not in text


FLEET = [{"sync": "fleet", "paths": ["prod/**"]}]
CACHE = """
deployments:
  - {name: cache, image: busybox, servers: [web], after: [shop], command: [sleep, "99"], restart: "no",
     health: {window: 15, steady: 0.1}}
"""


def test_a_push_is_what_a_sync_brings_and_a_watch_keeps_it_so(synced: Synced, author: Author) -> None:
    watching = synced.watching
    watching.secret()
    watching.define(on_push=FLEET, webhook="HOOK", poll="5s")
    synced.define(deploy=True, delete=True)
    watching.start()
    watching.until(lambda: '"commit"' in watching("repo", "pushes", "--json"))
    synced.push(site("one").replace("    health", "    after: []\n    health") + CACHE)  # found by looking
    watching.until_page("one")
    watching.until_said("push to shop: done")
    titles, actors = acts(watching)
    brought = ["Define stack shop", "Define deployment cache", "Deploy shop on web", "Deploy cache on web"]
    assert [title for title in titles if title in brought] == brought, titles
    assert actors == {"push"}

    # told by a webhook: an entry changed, one gone, all else as it was
    watching.define(poll="")
    first = author.head
    second = synced.push(site("two").partition("\n# how many")[0] + CACHE)
    assert watching.hook(second) == 202
    watching.until_page("two")
    watching.until_said("push to shop: done", 2)
    assert "variables" not in json.loads(watching("export", "--json"))
    assert [title for title in acts(watching)[0] if "cache" in title] == [brought[1], brought[3]], "it ran as defined"

    # what is no source changes nothing: emptied, of another version, gone
    git(author.work, "rm", "-q", "prod/fleet.yaml")
    refused(watching, author.push("emptied", **{"README.md": "nothing left"}), "no prod in shop")
    refused(watching, synced.push("version: 9\n" + site("three")), "fleet.yaml, line 1: unknown key version")
    away = author.bare.rename(author.bare.with_suffix(".away"))
    refused(watching, "b" * 40, "shop.git")
    away.rename(author.bare)
    assert watching.page() == "two"
    assert len(json.loads(watching("export", "--json"))["deployments"]) == 1
    # rewritten: that is a push
    git(author.work, "reset", "-q", "--hard", first)
    git(author.work, "push", "-q", "--force", "origin", "HEAD")
    assert watching.hook(first) == 202
    watching.until_page("one")

    # what was taken away by hand comes back
    synced.define(deploy=True, automatic=True, every="10s")
    watching.web.docker("rm", "-f", "shop-web-1")
    watching.until_page("one")


def acts(watching: Watching) -> tuple[list[str], set[str]]:
    """The titles of what runs did, oldest first, and in whose name."""
    found = [json.loads(line) for line in watching("actions", "--json").splitlines()]
    mine = [act for act in reversed(found) if act["run"]]
    return [act["title"] for act in mine], {act["actor"]["name"] for act in mine}


def refused(watching: Watching, commit: str, words: str) -> None:
    """A push that fails with these words."""
    count = watching.said.count("push to shop: ")
    assert watching.hook(commit) == 202
    watching.until(lambda: watching.said.count("push to shop: ") >= count + 2, 60)  # begun, and ended
    (push, *_) = json.loads(watching("repo", "pushes", "shop", "--json"))["pushes"]
    assert push["state"] == "failed"
    assert words in push["note"], push["note"]
