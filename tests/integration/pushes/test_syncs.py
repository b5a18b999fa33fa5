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


def test_a_watch_keeps_it_so(synced: Synced) -> None:
    watching = synced.watching
    synced.push(site("one"))
    synced.define(deploy=True, automatic=True, every="10s")
    watching.start()
    watching.until(lambda: watching.serves("one"), 60)
    synced.push(site("two"))
    watching.until(lambda: watching.serves("two"), 60)
    # what was taken away by hand comes back
    watching.web.docker("rm", "-f", "shop-web-1")
    watching.until(lambda: watching.serves("two"), 60)
    git(synced.author.work, "rm", "-q", "prod/fleet.yaml")
    synced.author.push("empty", **{"README.md": "nothing left"})
    watching.until(lambda: "prod" in watching.said.rpartition("equal")[2], 60)
    assert watching.page() == "two", "an emptied source takes nothing away"
