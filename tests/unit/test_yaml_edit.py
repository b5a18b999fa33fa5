"""Entries of YAML files are edited in place: comments, order and all other entries stay as they are."""

from __future__ import annotations

import pytest
import yaml

from komodo_tui.domain.errors import UsageError
from komodo_tui.store.yaml_edit import add_entry, replace_entry

_FILE = """\
# our fleet
stacks:
  # the shop
  - name: shop
    servers: [web-1]   # only one
    compose: |
      services:
        web: {image: "httpd:2.4"}

  # the cache
  - name: cache
    servers: [web-2]
builds:
  - {name: api, repo: shop}
"""


def test_one_entry_is_another_and_all_else_is_as_it_was() -> None:
    made = replace_entry(_FILE, "stacks", "shop", {"name": "shop", "servers": ["web-9"], "compose": "a: 1\nb: 2\n"})
    assert made.startswith("# our fleet\nstacks:\n  # the shop\n  - name: shop\n")
    assert made.endswith(_FILE[_FILE.index("\n  # the cache") :])
    found = yaml.safe_load(made)
    assert found["stacks"][0] == {"name": "shop", "servers": ["web-9"], "compose": "a: 1\nb: 2\n"}
    assert found["stacks"][1] == {"name": "cache", "servers": ["web-2"]}


def test_the_last_entry_of_a_list() -> None:
    made = replace_entry(_FILE, "stacks", "cache", {"name": "cache", "tags": ["x"]})
    assert yaml.safe_load(made)["stacks"][1] == {"name": "cache", "tags": ["x"]}
    assert yaml.safe_load(made)["builds"] == [{"name": "api", "repo": "shop"}]


def test_an_entry_in_a_line_stays_in_a_line() -> None:
    made = replace_entry(_FILE, "builds", "api", {"name": "api", "repo": "other", "path": "a b"})
    assert made.splitlines()[-1] == "  - {name: api, repo: other, path: a b}"


def test_an_entry_goes() -> None:
    made = replace_entry(_FILE, "stacks", "shop", None)
    assert [stack["name"] for stack in yaml.safe_load(made)["stacks"]] == ["cache"]
    assert "# the cache" in made
    none_left = replace_entry(made, "stacks", "cache", None)
    assert yaml.safe_load(none_left) == {"stacks": [], "builds": [{"name": "api", "repo": "shop"}]}
    assert yaml.safe_load(replace_entry(_FILE, "builds", "api", None))["builds"] == []


def test_one_entry_more() -> None:
    new = {"name": "new", "compose": "a: 1\nb: 2\n"}
    made = add_entry(_FILE, "stacks", new)
    assert [stack["name"] for stack in yaml.safe_load(made)["stacks"]] == ["shop", "cache", "new"]
    assert made.replace("\n  - name: new\n    compose: |\n      a: 1\n      b: 2", "", 1) == _FILE
    for text, key in (
        (_FILE, "builds"), (_FILE, "repos"), (_FILE.rstrip("\n"), "builds"), ("", "repos"), ("repos: []\n", "repos"),
        ("# nothing yet", "repos"), ("repos:\n- name: a", "repos"),
    ):  # fmt: skip
        before = (yaml.safe_load(text) or {}).get(key, [])
        assert yaml.safe_load(add_entry(text, key, new)) == {**(yaml.safe_load(text) or {}), key: [*before, new]}
    for text in ("{repos: [{name: a}]}", "repos: [{name: a}]", "{stacks: []}"):
        with pytest.raises(UsageError, match="in one line"):
            add_entry(text, "repos", new)


def test_what_is_not_there_is_not_edited() -> None:
    for key, name in (("stacks", "nothing"), ("repos", "shop")):
        with pytest.raises(UsageError, match="any more"):
            replace_entry(_FILE, key, name, None)
    with pytest.raises(UsageError, match="no YAML"):
        replace_entry("a: [", "stacks", "shop", None)
