"""What the tests of procedures share."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.integration.procedures.lab import Cli

if TYPE_CHECKING:
    from pathlib import Path

    from tests.rig.server import Server


@pytest.fixture
def cli(tmp_path: Path, server: Server) -> Cli:
    """On the private engine."""
    return Cli(tmp_path, server)
