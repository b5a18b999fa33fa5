"""Theme files as documents: found, read, parsed. What their keys mean is the UI's business."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from komodo_tui.domain.errors import UsageError

SUFFIX = ".yaml"


def shipped_themes() -> Path:
    """The folder of themes that came with the program: in the wheel, or of a checkout."""
    packaged = Path(__file__).parents[1] / "themes"
    return packaged if packaged.is_dir() else Path(__file__).parents[2] / "themes"


def theme_names(folder: Path) -> list[str]:
    """The names of the themes in a folder; none where there is no folder."""
    if not folder.is_dir():
        return []
    return sorted(file.name.removesuffix(SUFFIX) for file in folder.iterdir() if file.name.endswith(SUFFIX))


def read_theme(folder: Path, name: str) -> dict[str, Any]:
    """The document of one theme.

    Raises:
        UsageError: it cannot be read, is no YAML, or no mapping; the message names the file and the line.
    """
    import yaml  # not at the top: the default theme needs no file, and start-up none of this

    file = folder / f"{name}{SUFFIX}"
    try:
        document = yaml.safe_load(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"theme file {file} cannot be read: {error}", hint="see `ls -l` of it") from error
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f", line {mark.line + 1}" if mark is not None else ""
        raise UsageError(f"theme file {file}{line} is no YAML", hint="compare it with a shipped theme") from error
    if not isinstance(document, dict):
        raise UsageError(f"theme file {file} is no mapping of keys", hint="compare it with a shipped theme")
    return document
