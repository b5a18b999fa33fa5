"""The themes that come with the program."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from textual.color import Color

from komodo_tui.store.settings_file import load_settings, set_line
from komodo_tui.ui.theme import DEFAULT_THEME, Themes

if TYPE_CHECKING:
    from pathlib import Path

SHIPPED = ("komodo", "ansi", "deuteranopia", "high-contrast", "komodo-light", "mono", "tritanopia")
TEXTS = ("foreground", "dim", "accent", "ok", "warn", "bad", "info", "busy", *(f"tag-{n}" for n in range(1, 7)))


def luminance(color: Color) -> float:
    """Relative luminance (WCAG 2.2)."""

    def linear(value: float) -> float:
        return value / 12.92 if value <= 0.03928 else ((value + 0.055) / 1.055) ** 2.4

    red, green, blue = (linear(part / 255) for part in (color.r, color.g, color.b))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: Color, other: Color) -> float:
    """Contrast ratio (WCAG 2.2)."""
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def test_all_of_them_are_there(tmp_path: Path) -> None:
    assert tuple(Themes(tmp_path).names()) == SHIPPED


def test_the_file_of_the_default_says_what_the_program_does(tmp_path: Path) -> None:
    (tmp_path / "copy.yaml").write_text((Themes(tmp_path)._shipped / "komodo.yaml").read_text("utf-8"))
    assert Themes(tmp_path).load("copy").colors == DEFAULT_THEME.colors


@pytest.mark.parametrize("name", SHIPPED)
def test_each_can_be_read_by_people(name: str, tmp_path: Path) -> None:
    theme = Themes(tmp_path).load(name)
    theme.textual()
    if theme.ansi:
        return  # the terminal's own colours: nobody knows them
    ground = Color.parse(theme.colors["background"])
    weak = {tone: contrast(Color.parse(theme.colors[tone]), ground) for tone in TEXTS}
    assert {tone: ratio for tone, ratio in weak.items() if ratio < 4.5} == {}
    assert contrast(Color.parse(theme.colors["selection-text"]), Color.parse(theme.colors["selection"])) >= 4.5


def test_one_line_of_the_settings_is_changed_and_all_else_stays(tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    set_line(path, "theme", "mono")
    assert load_settings(path).theme == "mono"
    path.write_text("# mine\nrefresh: 2.0\ntheme: mono   # for the train\nparallel: 2\n")
    set_line(path, "theme", "ansi")
    assert path.read_text() == "# mine\nrefresh: 2.0\ntheme: ansi\nparallel: 2\n"
