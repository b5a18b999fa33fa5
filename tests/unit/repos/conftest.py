"""A repository and the clones of an agent."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.unit.repos.lab import Author, Server

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def author(tmp_path: Path) -> Author:
    """One commit is pushed."""
    return Author(tmp_path)


@pytest.fixture
def server(tmp_path: Path, author: Author) -> Server:
    """Nothing is cloned."""
    return Server(tmp_path, author)
