"""The lab, opened and closed around each test."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.unit.operations.lab import Lab

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path


@pytest.fixture
async def lab(tmp_path: Path) -> AsyncIterator[Lab]:
    made = Lab(tmp_path)
    await made.open()
    try:
        yield made
    finally:
        await made.close()
