"""``[[build.NAME]]``: the image of a build, in the environment and in compose files."""

from __future__ import annotations

import pytest

from komodo_agent.wire.compose_values import name_of, names_in, shown, variable_of, with_variables
from komodo_tui.domain.errors import UsageError
from komodo_tui.domain.interpolation import Value, interpolate, with_builds
from komodo_tui.domain.single import DeploymentDefinition
from komodo_tui.domain.single_compose import as_stack
from komodo_tui.domain.stack_values import variables_for


def lookup(name: str) -> Value | None:
    return {"build.my-api.v2": Value("shop/api:1.4.2"), "PORT": Value("80")}.get(name)


def test_a_build_in_a_compose_file_becomes_a_variable() -> None:
    text = "image: '[[ build.my-api.v2 ]]'\nports: ['[[PORT]]:80']\n"
    assert names_in(text) == ("build.my-api.v2", "PORT")
    assert with_variables(text) == "image: '${VALUE_build_2e_my_2d_api_2e_v2}'\nports: ['${VALUE_PORT}:80']\n"
    assert interpolate(variables_for(names_in(text)), lookup, where="stack").values == {
        "VALUE_build_2e_my_2d_api_2e_v2": "shop/api:1.4.2", "VALUE_PORT": "80",
    }  # fmt: skip


@pytest.mark.parametrize("name", ["PORT", "build.api", "build.my_api-2.x", "_x"])
def test_a_variable_tells_its_name(name: str) -> None:
    assert variable_of(name).isidentifier()
    assert name_of(variable_of(name)) == name
    assert shown(variable_of(name)) == f"[[{name}]]"
    assert shown("PORT") == "environment: PORT"


def test_a_deployment_runs_the_image_of_a_build() -> None:
    stack = as_stack(DeploymentDefinition(name="api", image="[[build.my-api.v2]]", servers=("web-1",)))
    assert 'image: "${VALUE_build_2e_my_2d_api_2e_v2}"' in stack.compose
    assert interpolate(stack.environment, lookup, where="deployment").values == {
        "VALUE_build_2e_my_2d_api_2e_v2": "shop/api:1.4.2",
    }  # fmt: skip


def test_a_revision_keeps_the_image_and_not_the_name_of_the_build() -> None:
    environment = {"IMAGE": "[[build.my-api.v2]]", "PORT": "[[PORT]]", "OTHER": "[[build.never]]"}
    kept = with_builds(environment, lookup)
    assert kept == {"IMAGE": "shop/api:1.4.2", "PORT": "[[PORT]]", "OTHER": "[[build.never]]"}
    with pytest.raises(UsageError) as caught:
        interpolate(kept, lookup, where="stack")
    assert "komodo-tui build never" in caught.value.hint
