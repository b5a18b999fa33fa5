"""Compose files that lie in folders of a server."""

from __future__ import annotations

from typing import TYPE_CHECKING

from komodo_agent.compose.found import FoundFiles, FoundFolders, find

if TYPE_CHECKING:
    from pathlib import Path


def put(folder: Path, *names: str, text: str = "services: {}\n") -> str:
    folder.mkdir(parents=True)
    for name in names:
        (folder / name).write_text(text)
    return str(folder)


def test_they_are_found_by_the_names_and_called_as_compose_does(tmp_path: Path) -> None:
    root = tmp_path / "srv"
    shop = put(root / "shop", "compose.yaml", "docker-compose.yml", "compose.override.yaml")
    spaced = put(root / "deep/My Blog", "docker-compose.yml")
    named = put(root / "x", "compose.yml", text='# mine\nname: "wiki"  # ours\nservices: {}\n')
    put(root / "one/two/three", "compose.yaml")  # too deep
    put(root / ".git", "compose.yaml")
    put(root / "other", "README.md")
    put(tmp_path / "elsewhere", "compose.yaml")
    (root / "link").symlink_to(tmp_path / "elsewhere")
    assert sorted(find([root, tmp_path / "nowhere"])) == [
        FoundFiles("myblog", spaced, ("docker-compose.yml",)),
        FoundFiles("shop", shop, ("compose.yaml", "compose.override.yaml")),
        FoundFiles("wiki", named, ("compose.yml",)),
    ]


async def test_a_look_is_taken_now_and_then(tmp_path: Path) -> None:
    found = FoundFolders([tmp_path])
    await found.look()
    put(tmp_path / "late", "compose.yaml")
    await found.look()
    assert not found.known
    found._looked -= 60
    await found.look()
    assert [files.project for files in found.known] == ["late"]
