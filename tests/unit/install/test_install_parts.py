"""Which files an agent is sent with, for which Python."""

from __future__ import annotations

import ast
import platform
import sys
import sysconfig
import zipfile
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from packaging.tags import Tag

import komodo_agent
from komodo_tui.domain.errors import ActError
from komodo_tui.fleet import probe
from komodo_tui.fleet.bootstrap import wheels
from komodo_tui.fleet.bootstrap.bundle import make_bundle
from komodo_tui.fleet.bootstrap.parts import DIRECT, Parts, find_parts
from komodo_tui.fleet.bootstrap.target import Target, target_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from packaging.requirements import Requirement


def _python(version: tuple[int, int], soabi: str = "", libc: str = "glibc-2.36") -> probe.ServerPython:
    short = f"{version[0]}.{version[1]}"
    name = soabi or f"cpython-{version[0]}{version[1]}-x86_64-linux-gnu"
    return probe.ServerPython(f"/usr/bin/python{short}", version, name, libc, "linux-x86_64")


@pytest.mark.parametrize(
    ("python", "fits", "not_fits"),
    [
        (_python((3, 11)), ["cp311-cp311-manylinux_2_17_x86_64", "cp311-cp311-manylinux2014_x86_64",
                            "cp36-abi3-manylinux2010_x86_64", "py3-none-any", "cp311-cp311-manylinux_2_36_x86_64"],
         ["cp311-cp311-manylinux_2_37_x86_64", "cp312-cp312-manylinux_2_17_x86_64",
          "cp311-cp311-musllinux_1_2_x86_64", "cp311-cp311-manylinux_2_17_aarch64", "cp312-abi3-manylinux2014_x86_64"]),
        (_python((3, 13), "cpython-313-aarch64-linux-musl", "-"), ["cp313-cp313-musllinux_1_2_aarch64", "py3-none-any"],
         ["cp313-cp313-manylinux_2_17_aarch64"]),
        (_python((3, 14), "cpython-314t-x86_64-linux-gnu"), ["cp314-cp314t-manylinux_2_17_x86_64"],
         ["cp314-cp314-manylinux_2_17_x86_64", "cp36-abi3-manylinux2010_x86_64"]),
        (_python((3, 11), "cpython-311-i386-linux-gnu"), ["cp311-cp311-manylinux_2_17_i686"],
         ["cp311-cp311-manylinux_2_17_x86_64"]),
    ],
)  # fmt: skip
def test_target_takes_what_runs_there(python: probe.ServerPython, fits: list[str], not_fits: list[str]) -> None:
    target = Target(python)
    assert [tag for tag in fits if Tag(*tag.split("-")) not in target.tags] == []
    assert [tag for tag in not_fits if Tag(*tag.split("-")) in target.tags] == []


def _probe(*pythons: probe.ServerPython, system: str = "Linux") -> probe.ServerProbe:
    lines = "".join(f"python={p.path}|{p.version[0]}.{p.version[1]}|{p.soabi}|{p.libc}|{p.platform}\n" for p in pythons)
    return probe.parse(f"komodo-probe-begin\nsystem={system}\n{lines}komodo-probe-end\n")


def test_newest_python_is_taken_and_none_that_is_too_old() -> None:
    assert target_of(_probe(_python((3, 9)), _python((3, 11)))).version == (3, 11)
    odd = (_python((3, 14), "cpython-314t-x86_64-linux-gnu"), _python((3, 13), "pypy313-pp73-x86_64-linux-gnu"))
    assert target_of(_probe(*odd, _python((3, 12)))).version == (3, 12)
    assert target_of(_probe(odd[0])).abi == "cp314t"
    with pytest.raises(ActError, match=r"newest Python there is 3\.9, and the agent needs 3\.10"):
        target_of(_probe(_python((3, 9))))
    with pytest.raises(ActError, match="no python3 on the server"):
        target_of(_probe())
    with pytest.raises(ActError, match="runs on Linux, and this is Darwin"):
        target_of(_probe(_python((3, 12)), system="Darwin"))
    with pytest.raises(ActError, match="no CPython"):
        target_of(_probe(_python((3, 10), "pypy310-pp73-x86_64-linux-gnu")))


def _imported(tree: ast.Module) -> Iterator[str]:
    """What a module imports when it runs."""
    for node in tree.body:
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            continue
        for inner in ast.walk(node):
            if isinstance(inner, ast.Import):
                yield from (alias.name.partition(".")[0] for alias in inner.names)
            elif isinstance(inner, ast.ImportFrom) and inner.level == 0 and inner.module:
                yield inner.module.partition(".")[0]


def test_agent_imports_nothing_that_is_not_sent() -> None:
    package = Path(komodo_agent.__file__).parent
    found = {name for path in package.rglob("*.py") for name in _imported(ast.parse(path.read_text()))}
    foreign = {name for name in found if name not in sys.stdlib_module_names and name != "komodo_agent"}
    sent = {*DIRECT, "git", "yarl", "multidict"}  # of gitpython; the other two come with aiohttp
    assert foreign <= sent


class Index:
    """Stands for pip: makes the wheels it is asked for, of the versions it has."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, **versions: str) -> None:
        self.asked: list[list[str]] = []
        self._versions = versions
        monkeypatch.setattr(wheels, "_download", self._download)

    async def _download(self, requirements: Sequence[Requirement], target: Target, folder: Path) -> None:
        self.asked.append([str(each) for each in requirements])
        folder.mkdir(parents=True, exist_ok=True)
        for each in requirements:
            known = each.name.replace("-", "_")
            version = self._versions.get(known) or metadata.version(each.name)
            if version not in each.specifier:
                raise wheels.WheelsMissingError(f"no {each}")
            name = f"{known}-{version}"
            path = folder / f"{name}-{target.abi}-{target.abi}-{target.platforms[0]}.whl"
            with zipfile.ZipFile(path, "w") as archive:
                archive.writestr(f"{name}.dist-info/METADATA", f"Name: {each.name}\n\nRequires-Dist: not-a-header\n")
                archive.writestr(f"{each.name}.py", f"# {version}\n")


async def test_like_server_is_sent_what_is_installed_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    index = Index(monkeypatch)
    libc = "-".join(platform.libc_ver())
    ours = probe.ServerPython("/x", sys.version_info[:2], str(sysconfig.get_config_var("SOABI")), libc, "")
    found = await find_parts(Target(ours), tmp_path, lambda text: None)
    assert index.asked == []
    assert found.fetched == []
    files = dict(found.files())
    assert {"aiohttp/__init__.py", "h2/connection.py", "hpack/__init__.py", "hyperframe/frame.py"} <= files.keys()
    assert any(name.startswith("msgspec/_core.") for name in files)
    assert not [name for name in files if name.endswith((".pyc", ".pyi")) or name.startswith("..")]


async def test_unlike_server_gets_wheels_of_the_versions_here_and_what_only_it_needs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    index = Index(monkeypatch, async_timeout="5.0.1")
    said: list[str] = []
    target = Target(_python((3, 10), "cpython-310-aarch64-linux-gnu"))
    found = await find_parts(target, tmp_path / "wheels", said.append)
    assert index.asked[-1].count("async-timeout<6.0,>=4.0") == 1
    assert f"aiohttp=={metadata.version('aiohttp')}" in index.asked[0]
    assert "aiosignal" in [each.name for each in found.installed]  # nothing compiled: the files here do
    assert "multidict" not in [each.name for each in found.installed]
    assert "async-timeout" in said[0]
    again = await find_parts(target, tmp_path / "wheels", said.append)
    assert again.fetched == found.fetched
    assert len(index.asked) == 1


async def test_version_that_dropped_the_servers_python_gives_way_to_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    index = Index(monkeypatch, multidict="6.0.1", async_timeout="5.0.1")
    target = Target(_python((3, 10), "cpython-310-s390x-linux-gnu"))
    found = await find_parts(target, tmp_path, lambda text: None)
    assert [path.name.split("-")[1] for path in found.fetched if path.name.startswith("multidict")] == ["6.0.1"]
    assert [each for each in index.asked[1] if each.startswith("multidict")] == ["multidict<8.0,>=4.5"]


async def test_server_nobody_makes_wheels_for_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The last words of a real pip that finds nothing: its index is an empty folder."""
    (tmp_path / "empty").mkdir()
    for name, value in (("NO_INDEX", "1"), ("FIND_LINKS", str(tmp_path / "empty")), ("CONFIG_FILE", "/dev/null")):
        monkeypatch.setenv(f"PIP_{name}", value)
    target = Target(_python((3, 12), "cpython-312-riscv64-linux-gnu"))
    with pytest.raises(ActError, match=r"for Python 3\.12 on riscv64 \(glibc\): No matching distribution found"):
        await find_parts(target, tmp_path / "wheels", lambda text: None)


def test_wheel_is_unpacked_without_what_is_not_for_import(tmp_path: Path) -> None:
    path = tmp_path / "a-1-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for name in ("a/__init__.py", "a/x.pyi", "a/_c.c", "a/tests/t.py", "a-1.data/purelib/b.py", "../evil.py",
                     "a-1.data/scripts/run", "a-1.dist-info/METADATA", "a-1.dist-info/RECORD",
                     "a-1.dist-info/licenses/LICENSE"):  # fmt: skip
            archive.writestr(name, name)
    files = dict(Parts([], [path]).files())
    assert sorted(files) == ["a-1.dist-info/METADATA", "a-1.dist-info/licenses/LICENSE", "a/__init__.py", "b.py"]


def test_same_files_are_the_same_bundle(tmp_path: Path) -> None:
    empty = Parts([], [])
    first, second = make_bundle(empty), make_bundle(empty)
    assert first == second
    assert first.id.startswith(f"{komodo_agent.__version__}-")
    path = tmp_path / "a-1-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.py", "")
    assert make_bundle(Parts([], [path])).id != first.id
