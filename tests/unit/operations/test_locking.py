"""What is said to those who come second."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from komodo_tui.domain.errors import LockedError
from komodo_tui.operations.locking import TargetLocks

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("container web-1 4f5e", "another act on this container of web-1 is under way"),
        ("stack web-1 shop", "another act on stack shop of web-1 is"),
        ("build api", "another act on build api is"),
        ("build cache web-1", "another act on the build cache of web-1 is"),
        ("repo web-1 shop", "another act on the clone of shop on web-1 is"),
        ("ship web-1 sha256:4f5e", "another act on the image on its way to web-1 is"),
        ("push reg.example/api:1", "another act on reg.example/api:1 is"),
        ("volume web-1 data", "another act on this volume of web-1 is"),
        ("follow-up 4f5e", "another act on what follows this build is"),
        ("definition of stack shop", "another act on the definition of stack shop is"),
        ("server web-1", "another act on server web-1 is"),
        ("prune web-1 image", "another act on server web-1 is"),
    ],
)
def test_what_is_held_is_named_as_people_know_it(tmp_path: Path, name: str, words: str) -> None:
    locks = TargetLocks(tmp_path)
    with locks.hold([name], "ana"), pytest.raises(LockedError) as caught, locks.hold([name]):
        pass
    assert caught.value.message.startswith(words)
    assert caught.value.message.endswith("ana")
    assert locks.free([name])
