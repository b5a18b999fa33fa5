"""What stands out in a line of YAML."""

from __future__ import annotations

import pytest

from komodo_tui.ui.render.yaml_tones import yaml_tones


@pytest.mark.parametrize(
    ("line", "wanted"),
    [
        ("    image: nginx:stable", {"image": "accent"}),
        ('  - name: "a # b"  # c: d', {"name": "accent", '"a # b"': "ok", "# c: d": "dim"}),
        ("DB: [[DB_PASSWORD]]", {"DB": "accent", "[[DB_PASSWORD]]": "warn"}),
        ('ports: ["${PORT}:80"]', {"ports": "accent", '"${PORT}:80"': "ok", "${PORT}": "warn"}),
        ("it's a plain text", {}),
        ("x#y", {}),
        ("# ${NO}", {"# ${NO}": "dim"}),
    ],
)
def test_what_stands_out(line: str, wanted: dict[str, str]) -> None:
    assert {line[start:end]: tone for start, end, tone in yaml_tones(line)} == wanted


def test_a_hostile_line_is_looked_at_only_at_its_beginning() -> None:
    assert all(end <= 500 for _, end, _ in yaml_tones("[[" * 200 + "a: b " * 100_000))
