"""The repos as the user defined them."""

from __future__ import annotations

from komodo_tui.domain.repos import DefineRepoOperation, RepoDefinition
from komodo_tui.operations.kept_definitions import KeptDefinitions


class RepoDefinitions(KeptDefinitions[RepoDefinition, DefineRepoOperation]):
    """The repos in the definitions store."""

    KIND = "repo"
    TYPE = RepoDefinition
