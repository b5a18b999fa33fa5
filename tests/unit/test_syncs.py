"""Who changed what: files, definitions here, and what both were when they were equal last."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from komodo_agent.wire.compose import ComposeAct
from komodo_tui.cli import main
from komodo_tui.domain.deploy_order import in_deploy_order
from komodo_tui.domain.errors import RefusedError, UsageError
from komodo_tui.domain.repos import RepoDefinition
from komodo_tui.domain.single import DeploymentDefinition
from komodo_tui.domain.single_compose import as_stack
from komodo_tui.domain.stacks import StackDefinition, StackOperation, StackTarget
from komodo_tui.domain.syncs import Item, SyncBase, SyncDefinition, applied, by_itself, check_sync, compare
from komodo_tui.operations.syncs.applying import Drift, SyncApplier, deployed_with
from komodo_tui.operations.syncs.committing import commit_back
from komodo_tui.operations.syncs.looking import Pending, SyncLooker
from komodo_tui.operations.syncs.reading import SourceFiles
from komodo_tui.store.definitions import DefinitionStore
from komodo_tui.store.fleet_files import FleetFile, parse_fleet
from komodo_tui.store.sync_bases import SyncBases

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

FLEET = SyncDefinition(name="fleet", repo="shop", delete=True, most_deleted=1.0)


def stack(name: str, **fields: Any) -> tuple[tuple[str, str], dict[str, Any]]:
    return ("stack", name), {"name": name, **fields}


def found(
    files: dict[Any, Any], here: dict[Any, Any], base: dict[Any, Any], sync: SyncDefinition = FLEET
) -> dict[str, str]:
    known: dict[str, dict[str, Any]] = {}
    for (kind, name), value in base.items():
        known.setdefault(kind, {})[name] = value
    return {item.name: item.state for item in compare(sync, files, here, SyncBase(base=known))}


@pytest.mark.parametrize(
    ("files", "here", "base", "state"),
    [
        (1, None, None, "new"),
        (1, 1, None, None),
        (2, 1, None, "changed"),
        (2, 1, 1, "changed"),
        (1, 2, 1, "here"),
        (2, 3, 1, "conflict"),
        (1, None, 1, "here"),
        (2, None, 1, "conflict"),
        (None, 1, 1, "gone"),
        (None, 2, 1, "conflict"),
        (None, 1, None, None),
        (None, None, 1, None),
    ],
)
def test_three_versions_tell_who_changed_it(
    files: int | None, here: int | None, base: int | None, state: str | None
) -> None:
    def one(tag: int | None) -> dict[Any, Any]:
        return {} if tag is None else dict([stack("a", tag=tag)])

    # a second one, equal everywhere: the source is never empty
    other = dict([stack("b")])
    states = found(one(files) | other, one(here) | other, one(base) | other)
    assert states == ({} if state is None else {"a": state})


def test_nothing_goes_without_being_asked_to() -> None:
    base = dict([stack("a"), stack("b")])
    shy = SyncDefinition(name="fleet", repo="shop")
    assert found(dict([stack("b")]), base, base, shy) == {"a": "guarded"}


def test_nothing_goes_when_the_source_is_empty() -> None:
    base = dict([stack("a")])
    assert found({}, base, base) == {"a": "guarded"}


def test_few_may_go_at_once_and_many_not() -> None:
    base = dict(stack(f"s{n}") for n in range(10))
    sync = SyncDefinition(name="fleet", repo="shop", delete=True, most_deleted=0.2)
    few = {key: value for key, value in base.items() if key[1] not in ("s0", "s1")}
    assert set(found(few, base, base, sync).values()) == {"gone"}
    many = {key: value for key, value in base.items() if key[1] > "s2"}
    assert set(found(many, base, base, sync).values()) == {"guarded"}


def test_what_the_automatic_mode_takes() -> None:
    files = dict([stack("new"), stack("mine", tag=1), stack("both", tag=2)])
    here = dict([stack("mine", tag=9), stack("both", tag=3)])
    base = SyncBase(base={"stack": dict([("mine", {"name": "mine", "tag": 1}), ("both", {"name": "both", "tag": 1})])})
    items = compare(FLEET, files, here, base)
    assert [item.name for item in by_itself(FLEET, items)] == ["new"]
    reverting = SyncDefinition(name="fleet", repo="shop", on_change_here="revert")
    assert [item.name for item in by_itself(reverting, items)] == ["new", "mine"]


def test_what_was_applied_is_the_next_base() -> None:
    files, here = dict([stack("a", tag=2), stack("same")]), dict([stack("a", tag=1), stack("same"), stack("old")])
    base = SyncBase(base={"stack": {"old": {"name": "old"}}})
    items = compare(FLEET, files, here, base)
    kept = applied(base, items, {("stack", "same"): {"name": "same"}})
    assert kept == {"stack": {"same": {"name": "same"}, "a": {"name": "a", "tag": 2}}}


def test_the_order_of_deploys() -> None:
    assert in_deploy_order(["web", "db", "cache"], {"web": ("db", "elsewhere"), "db": ("cache",)}) == [
        "cache", "db", "web",
    ]  # fmt: skip
    circle = {"x": ("b",), "a": ("b",), "b": ("c", "z"), "c": ("a",)}
    with pytest.raises(UsageError, match=r"^b > c > a > b are each"):
        in_deploy_order(["x", "a", "b", "c", "z"], circle)
    with pytest.raises(UsageError, match="a > a"):
        in_deploy_order(["a"], {"a": ("a",)})


def test_stacks_and_deployments_that_wait_for_one_another_are_refused() -> None:
    stack = "stacks: [{name: shop, servers: [s], after: [cache], compose: 'services: {a: {image: b}}'}]\n"
    cache = "deployments: [{name: cache, image: redis, servers: [s], after: [%s]}]\n"
    found, _ = parse_fleet([("a.yaml", stack.encode()), ("b.yaml", (cache % "db").encode())])
    assert as_stack(found.deployments[0]).after == ("db",)
    with pytest.raises(UsageError, match="shop > cache > shop"):
        parse_fleet([("a.yaml", stack.encode()), ("b.yaml", (cache % "shop").encode())])


def test_what_is_kept_otherwise_here_is_never_deployed() -> None:
    stacks = tuple(StackDefinition(name=name) for name in ("same", "mine", "both", "new"))
    single = DeploymentDefinition(name="cache", image="redis")
    plains = {("stack", each.name): {"name": each.name} for each in stacks} | {("deployment", "cache"): {}}
    here = plains | {("stack", "mine"): {"name": "x"}, ("stack", "both"): {"name": "y"}}
    del here["stack", "new"]
    base = SyncBase(base={"stack": {"mine": {"name": "mine"}, "both": {"name": "z"}}})
    items = compare(FLEET, plains, here, base)
    equal = {key: value for key, value in plains.items() if here.get(key) == value}
    pending = Pending(SourceFiles("", {}, {}), FleetFile(stacks=stacks, deployments=(single,)), items, equal, {}, base)
    drifts = [Drift(name, None) for name in ("same", "mine", "both", "new", "cache")]

    def deployed(items: Sequence[Item]) -> list[str]:
        return [drift.name for drift in deployed_with(drifts, pending, items)]

    assert deployed([]) == ["same", "cache"]
    assert deployed(by_itself(FLEET, items)) == ["same", "new", "cache"]
    assert deployed(items) == ["same", "mine", "both", "new", "cache"], "chosen by hand"


def test_an_apply_is_refused_where_somebody_changed_it_since_the_look() -> None:
    files, here = dict([stack("a", tag=2)]), dict([stack("a", tag=1)])
    items = compare(FLEET, files, here, SyncBase())
    pending = Pending(SourceFiles("", {}, {}), FleetFile(), items, {}, {}, SyncBase())
    looker: Any = SimpleNamespace(here=lambda keys: dict([stack("a", tag=3)]))
    parts: Any = SimpleNamespace()
    with pytest.raises(RefusedError, match="stack a was changed here since"):
        SyncApplier(parts, parts, parts, looker).changes_of(pending, items)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({}, "either a repo or a folder"),
        ({"repo": "a", "folder": "/b"}, "either a repo or a folder"),
        ({"folder": "here"}, "no absolute folder"),
        ({"repo": "a", "path": "../up"}, "no path"),
        ({"repo": "a", "path": ".git/config"}, "no path"),
        ({"repo": "a", "kinds": ("stak",)}, "no kind 'stak'"),
        ({"repo": "a", "stack": "b", "delete": True}, "for definitions"),
        ({"repo": "a", "every": "1s"}, "too often"),
        ({"repo": "a", "most_deleted": 0.0}, "a share"),
    ],
)
def test_definitions_that_make_no_sense(fields: dict[str, Any], words: str) -> None:
    with pytest.raises(UsageError, match=words):
        check_sync(SyncDefinition(name="fleet", **fields))


def test_a_damaged_base_is_not_taken_for_an_empty_one(tmp_path: Path) -> None:
    from komodo_tui.domain.errors import StoreError

    bases = SyncBases(tmp_path)
    bases.write("fleet", SyncBase(commit="c"))
    assert bases.read("fleet").commit == "c"
    assert bases.read("other") == SyncBase()
    (tmp_path / "fleet.json").write_text('{"base": ')
    with pytest.raises(StoreError, match="damaged"):
        bases.read("fleet")
    with pytest.raises(StoreError, match="damaged"):
        bases.update("fleet", lambda now: SyncBase())
    assert "is damaged" in bases.shown("fleet").problem
    assert bases.shown("other").problem == ""


class Folder:
    """A sync of a folder, driven by the command line."""

    def __init__(self, tmp_path: Path, capsys: pytest.CaptureFixture[str], **fields: Any) -> None:
        self.home, self.files, self._capsys = tmp_path / "home", tmp_path / "fleet", capsys
        self.files.mkdir()
        document = {"syncs": [{"name": "fleet", "folder": str(self.files), **fields}]}
        (tmp_path / "sync.yaml").write_text(json.dumps(document))
        assert self.run("apply", "-f", str(tmp_path / "sync.yaml"), "--yes") == 0

    def run(self, *words: str) -> int:
        """Its exit code."""
        return main(["--home", str(self.home), *words])

    def document(self, *words: str) -> Any:
        """What it prints."""
        self._capsys.readouterr()
        self.run(*words, "--json")
        return json.loads(self._capsys.readouterr().out)

    def items(self) -> dict[str, str]:
        """The state of each item."""
        return {f"{i['kind']} {i['name']}": i["state"] for i in self.document("sync", "plan", "fleet")["items"]}


def test_from_files_to_definitions_and_back_out(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    fleet = Folder(tmp_path, capsys, delete=True, most_deleted=1.0)
    one, two = fleet.files / "one.yaml", fleet.files / "deep" / "two.yml"
    two.parent.mkdir()
    one.write_text("variables: [{name: PORT, value: '1'}]\nprocedures: []\n")
    two.write_text("repos: [{name: shop, url: 'https://git.example/shop.git'}]\n")
    (fleet.files / "notes.txt").write_text("not: [yaml")
    assert fleet.items() == {"variable PORT": "new", "repo shop": "new"}
    assert fleet.run("sync", "apply", "fleet") == 4, "nobody confirmed"
    assert fleet.run("sync", "apply", "fleet", "--yes") == 0
    assert fleet.items() == {}
    assert fleet.document("export")["variables"] == [{"name": "PORT", "value": "1"}]

    # changed here, then in the files too, then only one of both taken
    assert fleet.run("var", "set", "PORT", "2", "--yes") == 0
    assert fleet.items() == {"variable PORT": "here"}
    capsys.readouterr()
    assert fleet.run("sync", "apply", "fleet", "--yes") == 0
    told = capsys.readouterr()
    assert "nothing to do" not in told.out
    assert "not applied: edit variable PORT  (changed here since it was applied)" in told.err
    assert "komodo-tui sync apply fleet --only 'variable PORT' --yes" in told.err
    assert "komodo-tui sync commit fleet --only 'variable PORT' -m" in told.err
    assert fleet.document("export")["variables"] == [{"name": "PORT", "value": "2"}], "left as somebody made it"
    one.write_text("variables: [{name: PORT, value: '3'}]\n")
    assert fleet.items() == {"variable PORT": "conflict"}
    assert fleet.run("sync", "apply", "fleet", "--only", "PORT", "--yes") == 0
    assert fleet.document("export")["variables"] == [{"name": "PORT", "value": "3"}]

    two.unlink()
    assert fleet.items() == {"repo shop": "gone"}
    assert fleet.run("sync", "apply", "fleet", "--yes") == 0
    assert "repos" not in fleet.document("export")
    (listed,) = fleet.document("sync", "list")
    assert (listed["pending"], listed["problem"]) == ([], "")


def test_what_cannot_be_read_changes_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    fleet = Folder(tmp_path, capsys, delete=True, most_deleted=1.0)
    file = fleet.files / "one.yaml"
    file.write_text("variables: [{name: PORT, value: '1'}]\n")
    assert fleet.run("sync", "apply", "fleet", "--yes") == 0
    for text in ("variables: [", "variabels: []", "version: 9\nvariables: []", "variables: [{name: 'A B', value: x}]"):
        file.write_text(text)
        assert fleet.run("sync", "apply", "fleet", "--yes") == 2
        assert "one.yaml" in capsys.readouterr().err
    assert fleet.run("sync", "list") == 1
    file.unlink()
    assert fleet.items() == {"variable PORT": "guarded"}
    capsys.readouterr()
    assert fleet.run("sync", "apply", "fleet", "--yes") == 0
    told = capsys.readouterr()
    assert "nothing to do" not in told.out
    assert "kept: the source has no definitions at all; what shall go is removed by hand" in told.err
    (listed,) = fleet.document("sync", "list")
    assert (listed["pending"], listed["kept"]) == ([], 1)
    assert fleet.run("sync", "list") == 0
    assert "1 kept" in capsys.readouterr().out
    fleet.files.rmdir()
    assert fleet.run("sync", "apply", "fleet", "--yes") == 2
    assert fleet.document("export")["variables"] == [{"name": "PORT", "value": "1"}]
    assert fleet.run("sync", "apply", "fleet", "--only", "PORT", "--yes") == 2


def test_links_lead_nowhere(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    fleet = Folder(tmp_path, capsys)
    (tmp_path / "secret.yaml").write_text("variables: [{name: A, value: x}]\n")
    (fleet.files / "link.yaml").symlink_to(tmp_path / "secret.yaml")
    (fleet.files / "one.yaml").write_text("variables: [{name: B, value: x}]\n")
    assert fleet.items() == {"variable B": "new"}


def test_what_another_sync_has_or_this_one_is_not_about_any_more_stays(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fleet = Folder(tmp_path, capsys, delete=True, most_deleted=1.0, kinds=["repo"], tags=["prod"])
    text = (
        "repos:\n- {name: a, url: 'https://g.example/a', tags: [%s]}\n"
        "- {name: b, url: 'https://g.example/b', tags: [prod]}\n"
    )
    file = fleet.files / "one.yaml"
    file.write_text(text % "prod")
    assert fleet.run("sync", "apply", "fleet", "--yes") == 0
    file.write_text(text % "staging")
    assert fleet.items() == {}, "it is in the files, with another tag"
    file.write_text(text.partition("- {name: a")[0] + "- {name: b" + text.partition("- {name: b")[2])
    assert fleet.items() == {}, "nor is it this sync's from then on"
    assert [repo["name"] for repo in fleet.document("export")["repos"]] == ["a", "b"]

    other = tmp_path / "other.yaml"
    other.write_text(json.dumps({"syncs": [{"name": "other", "folder": str(fleet.files)}]}))
    assert fleet.run("apply", "-f", str(other), "--yes") == 0
    assert fleet.run("sync", "apply", "other", "--yes") == 0
    file.write_text("repos:\n- {name: c, url: 'https://g.example/c', tags: [prod]}\n")
    (gone,) = (i for i in fleet.document("sync", "plan", "fleet")["items"] if i["name"] == "b")
    assert (gone["state"], gone["note"]) == ("guarded", "gone from the files; kept: sync other has brought it, too")


def test_what_was_equal_at_the_first_look_and_is_changed_here_then_was_changed_here(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fleet = Folder(tmp_path, capsys)
    assert fleet.run("var", "set", "PORT", "1", "--yes") == 0
    (fleet.files / "one.yaml").write_text("variables: [{name: PORT, value: '1'}]\n")
    assert fleet.items() == {}, "nothing to apply: it was exported, say"
    assert fleet.run("var", "set", "PORT", "2", "--yes") == 0
    assert fleet.items() == {"variable PORT": "here"}
    assert fleet.run("sync", "apply", "fleet", "--yes") == 0
    assert fleet.document("export")["variables"] == [{"name": "PORT", "value": "2"}]


def test_what_a_sync_was_narrowed_from_is_not_gone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    fleet = Folder(tmp_path, capsys, delete=True, most_deleted=1.0)
    file = fleet.files / "one.yaml"
    repos = "repos: [{name: a, url: 'https://g.example/a', tags: [prod]}"
    file.write_text(f"variables: [{{name: PORT, value: '1'}}]\n{repos}, {{name: b, url: 'https://g.example/b'}}]\n")
    assert fleet.run("sync", "apply", "fleet", "--yes") == 0
    narrower = {"name": "fleet", "folder": str(fleet.files), "delete": True, "most_deleted": 1.0}
    narrower |= {"kinds": ["repo"], "tags": ["prod"]}
    (tmp_path / "sync.yaml").write_text(json.dumps({"syncs": [narrower]}))
    assert fleet.run("apply", "-f", str(tmp_path / "sync.yaml"), "--yes") == 0
    file.write_text(f"{repos}]\n")
    assert fleet.items() == {}, "the variable and b went after the sync was about them"


async def test_a_look_that_an_apply_overtakes_forgets_nothing_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of two processes, say: one looks while the other looks and applies."""
    text = "repos: [{name: a, url: 'https://g.example/a'}]\n"
    definitions = DefinitionStore(tmp_path / "definitions.json")
    runtime: Any = SimpleNamespace(definitions=definitions, values=None)
    paths: Any = SimpleNamespace(syncs=tmp_path / "syncs")
    looker = SyncLooker(runtime, runtime, paths)
    sync = SyncDefinition(name="fleet", folder=str(tmp_path))

    async def overtaken(sync: SyncDefinition, *, pull: bool = True) -> SourceFiles:
        base = {"repo": {"a": {"name": "a", "url": "https://g.example/a"}}}
        looker.bases.write("fleet", SyncBase(base=base, applied=5.0, commit="new"))
        return SourceFiles("old", {"one.yaml": text}, {})

    monkeypatch.setattr(looker._reader, "read", overtaken)
    await looker.look(sync)
    kept = looker.bases.read("fleet")
    assert kept.brought() == {("repo", "a")}
    assert (kept.commit, kept.seen, kept.pending) == ("new", "", ())
    assert kept.looked


def test_only_some_kinds_and_tags(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    fleet = Folder(tmp_path, capsys, kinds=["repo"], tags=["prod"])
    (fleet.files / "one.yaml").write_text(
        "variables: [{name: B, value: x}]\nrepos:\n- {name: a, url: 'https://g.example/a', tags: [prod]}\n"
        "- {name: b, url: 'https://g.example/b'}\n"
    )
    assert fleet.items() == {"repo a": "new"}


def test_the_files_of_a_stack_there_and_back(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shop = {"name": "shop", "servers": ["web-1"], "tags": ["prod"], "compose": "services: {a: {image: one}}\n"}
    (tmp_path / "shop.json").write_text(json.dumps({"stacks": [shop]}))
    fleet = Folder(tmp_path, capsys, stack="shop", every="1m")
    assert fleet.run("sync", "plan", "fleet") == 1, "there is no such stack yet"
    assert fleet.run("apply", "-f", str(tmp_path / "shop.json"), "--yes") == 0
    assert fleet.run("sync", "plan", "fleet") == 2, "an empty folder is no stack"
    (fleet.files / "conf").mkdir()
    for name, text in (("compose.yaml", "services: {a: {image: two}}\n"), ("conf/a.env", "A=1\n"), ("b", "b\n")):
        (fleet.files / name).write_text(text)
    assert fleet.items() == {"stack shop": "changed"}
    assert fleet.run("sync", "apply", "fleet", "--yes") == 0
    (stack,) = fleet.document("export")["stacks"]
    assert (stack["compose"], stack["attached"]) == (
        "services: {a: {image: two}}\n",
        {"conf/a.env": "A=1\n", "b": "b\n"},
    )
    assert stack["tags"] == ["prod"], "all else is as it was"
    (fleet.files / "b").unlink()
    assert fleet.run("sync", "apply", "fleet", "--yes") == 0
    assert fleet.document("export")["stacks"][0]["attached"] == {"conf/a.env": "A=1\n"}

    here = {**stack, "compose": "services: {a: {image: three}}\n", "attached": {"c": "c\n"}}
    files = {**stack, "attached": {"conf/a.env": "A=1\n"}}
    item = Item(kind="stack", name="shop", state="here", files=files, here=here)
    texts = {"compose.yaml": stack["compose"], "conf/a.env": "A=1\n"}
    source = SourceFiles("c" * 40, texts, {name: f"digest of {name}" for name in texts}, "web-1")
    pending = Pending(source, FleetFile(), [item], {}, {item.key: "compose.yaml"}, SyncBase())
    definitions = DefinitionStore(tmp_path / "definitions.json")
    definitions.put("repo", "infra", RepoDefinition(name="infra", url="https://git.example/infra.git"), None)
    sync = SyncDefinition(name="shop", repo="infra", path="shop", stack="shop")
    operation = commit_back(sync, pending, [item], definitions, message="")
    assert {(change.path, change.text, change.digest) for change in operation.changes} == {
        ("shop/compose.yaml", "services: {a: {image: three}}\n", "digest of compose.yaml"),
        ("shop/c", "c\n", ""), ("shop/conf/a.env", None, "digest of conf/a.env"),
    }  # fmt: skip
    assert operation.diff.startswith("stack shop\n--- files\n+++ here\n")
    assert "-  c: |" not in operation.diff
    assert "+  c: |" in operation.diff


def test_what_goes_back_to_a_sync_of_one_file_goes_into_that_file(tmp_path: Path) -> None:
    definitions = DefinitionStore(tmp_path / "definitions.json")
    definitions.put("repo", "infra", RepoDefinition(name="infra", url="https://git.example/infra.git"), None)
    item = Item(kind="repo", name="shop", state="conflict", files=None, here={"name": "shop", "url": "u"})
    source = SourceFiles("c" * 40, {"prod.yaml": "variables:\n- {name: A, value: '1'}\n"}, {"prod.yaml": "d"}, "web-1")
    pending = Pending(source, FleetFile(), [item], {}, {}, SyncBase())
    sync = SyncDefinition(name="fleet", repo="infra", path="fleet/prod.yaml")
    (change,) = commit_back(sync, pending, [item], definitions, message="").changes
    assert (change.path, change.digest) == ("fleet/prod.yaml", "d")
    assert change.text == "variables:\n- {name: A, value: '1'}\nrepos:\n- name: shop\n  url: u\n"
    folder = SyncDefinition(name="fleet", repo="infra", path="fleet")
    (change,) = commit_back(folder, pending, [item], definitions, message="").changes
    assert (change.path, change.digest) == ("fleet/repo-shop.yaml", "")


async def test_what_cannot_be_told_of_what_runs_stays_as_it_was(tmp_path: Path) -> None:
    stacks = tuple(StackDefinition(name=name) for name in ("a", "b", "c"))
    equal = {("stack", each.name): {"name": each.name} for each in stacks}
    base = SyncBase(drifted=("a@web-1", "b@web-1"), commit="c")
    pending = Pending(SourceFiles("", {}, {}), FleetFile(stacks=stacks), [], equal, {}, base)
    looker: Any = SimpleNamespace(bases=SyncBases(tmp_path))
    looker.bases.write("fleet", base)
    applier = SyncApplier(looker, looker, looker, looker)
    target = StackTarget(server="web-2", project="c", spec=ComposeAct(project="c", verb="start"))
    operation = StackOperation(verb="deploy", stack="c", targets=(target,))
    drifts = [Drift("a", None), Drift("b", None, "web-1 is away"), Drift("c", operation)]
    assert await applier.drifted(FLEET, pending, drifts) == ("c@web-2", "b@web-1")
    kept = looker.bases.read("fleet")
    assert (kept.drifted, kept.commit) == (("c@web-2", "b@web-1"), "c")
