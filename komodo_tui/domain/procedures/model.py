"""A procedure as it is defined."""

from __future__ import annotations

from typing import Literal

import msgspec

from komodo_tui.domain.procedures.steps import StepEntry


class Parameter(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """Something a run is given."""

    default: str | None = None
    """None: it has to be given."""
    description: str = ""
    choices: tuple[str, ...] = ()


class Stage(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """Steps that run side by side; stages follow one another."""

    name: str = ""
    """What it is called in the run; else its number."""
    when: str = ""
    """Only if this holds: env == "prod" and not failed."""
    enabled: bool = True
    """Leave it out without taking it out."""
    on: Literal["success", "failure", "always"] = "success"
    """Runs while nothing has failed, only after something has, or either way."""
    parallel: int = 0
    """Steps at once; 0 = all."""
    continue_on_error: bool = False
    """Its failure does not end the run."""
    steps: tuple[StepEntry, ...] = ()


class ProcedureDefinition(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """A recipe."""

    name: str
    """Letters, digits, dots, dashes and underscores."""
    description: str = ""
    """What it is for, in a line."""
    tags: tuple[str, ...] = ()
    parameters: dict[str, str | int | float | bool | Parameter | None] = msgspec.field(default_factory=dict)
    """Name to its default, to null (has to be given), or to a :class:`Parameter`."""
    allow_dangerous: bool = False
    """Steps that can do anything to a server: commands on it, removals of what nothing brings back."""
    overlap: Literal["refuse", "wait"] = "refuse"
    """What a second run does while the first is under way."""
    timeout: str = ""
    """Of the whole run; empty = none."""
    schedule: str = ""
    """When ``komodo-tui watch`` runs it: ``0 3 * * *``, or words as in ``every day at 03:00``."""
    timezone: str = ""
    """Of the schedule; empty = that of the machine that watches."""
    jitter: str = ""
    """It begins up to that much later: always by the same part of it, so that many do not begin at once."""
    catch_up: Literal["skip", "last"] = "skip"
    """What becomes of times that passed while nobody watched: nothing, or one run for the newest of them."""
    stages: tuple[Stage, ...] = ()

    def parameter(self, name: str) -> Parameter:
        """A parameter in its long form."""
        given = self.parameters[name]
        if isinstance(given, Parameter):
            return given
        return Parameter(default=None if given is None else _text(given))


def _text(value: str | int | float | bool) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
