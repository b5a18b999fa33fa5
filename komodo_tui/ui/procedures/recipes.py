"""The starter recipes that come with the program."""

from __future__ import annotations

from importlib import resources
from typing import NamedTuple

from komodo_tui.domain.errors import UsageError
from komodo_tui.store.fleet_files import FleetFile
from komodo_tui.store.yaml_files import parse_yaml

EMPTY = """\
procedures:
  - name: my-procedure
    description: what it is for
    parameters: {pattern: "web*"}
    stages:
      - name: first
        steps:
          - restart_containers: {match: "{pattern}"}
"""


class Starter(NamedTuple):
    """One of them."""

    name: str
    description: str
    text: str


def starters() -> list[Starter]:
    """All, by name."""
    found = []
    for file in sorted(resources.files("komodo_tui").joinpath("recipes").iterdir(), key=lambda f: f.name):
        if not file.name.endswith(".yaml"):
            continue
        text = file.read_text("utf-8")
        try:
            definition = parse_yaml(text.encode(), FleetFile, name=file.name).procedures[0]
        except (UsageError, IndexError):  # an older file left beside a newer program
            continue
        found.append(Starter(definition.name, definition.description, text))
    return found
