"""Every tab opens: one whose page is not there would end the program at its key."""

from __future__ import annotations

import pytest

from komodo_tui.ui.page import Page
from komodo_tui.ui.pages import PAGES, PageSpec


@pytest.mark.parametrize("spec", PAGES, ids=lambda spec: spec.id)
def test_a_tab_has_its_page_or_says_what_will_stand_there(spec: PageSpec) -> None:
    assert issubclass(spec.load(), Page)
    assert bool(spec.target) != bool(spec.note)


def test_keys_and_letters_are_apart() -> None:
    keys = [spec.key for spec in PAGES if spec.key]
    assert len(set(keys)) == len(keys)
    assert len({spec.letter for spec in PAGES}) == len(PAGES)
