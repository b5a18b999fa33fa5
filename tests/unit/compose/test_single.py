"""Single-container deployments: what they are checked for, and the stack of one service that is deployed for them."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
import yaml

from komodo_tui.domain.builds import BuildDefinition, BuildRegistry, BuildTags
from komodo_tui.domain.errors import NotFoundError, RefusedError, UsageError
from komodo_tui.domain.single import (
    DefineDeploymentOperation,
    DeploymentDefinition,
    HealthCheck,
    check_deployment,
    with_image,
)
from komodo_tui.domain.single_compose import as_stack
from komodo_tui.domain.stacks import StackDefinition
from komodo_tui.operations.deployment_definitions import draft_deployment


def deployment(**fields: Any) -> DeploymentDefinition:
    return check_deployment(
        DeploymentDefinition(**{"name": "web", "image": "nginx:1", "servers": ("local",), **fields})
    )


def rendered(**fields: Any) -> tuple[dict[str, Any], dict[str, Any], StackDefinition]:
    stack = as_stack(deployment(**fields))
    document = yaml.safe_load(stack.compose)
    return document["services"]["app"], document, stack


def test_its_container_has_its_name_and_the_engines_own_bridge() -> None:
    service, document, stack = rendered(name="Web.1")
    assert service == {"image": "nginx:1", "container_name": "Web.1", "restart": "unless-stopped",
                       "network_mode": "bridge"}  # fmt: skip
    assert set(document) == {"services"}
    assert stack.project_name == "web-1"


def test_values_stay_out_of_the_file() -> None:
    service, _, stack = rendered(
        environment={"A": "1", "PATH": "/x", "discovery.type": "one", "discovery_type": "two"},
        per_server={"local": {"A": "2", "B": "3", "PATH": "/y"}},
    )
    assert service["environment"] == {
        "A": "${A}", "B": None, "PATH": "${ENV_PATH}", "discovery.type": "${ENV_discovery_type}",
        "discovery_type": "${discovery_type}",
    }  # fmt: skip
    assert stack.environment["ENV_PATH"] == "/x"
    assert stack.per_server == {"local": {"A": "2", "B": "3", "ENV_PATH": "/y"}}


def test_a_dollar_means_nothing_and_a_reference_is_looked_up_everywhere() -> None:
    service, _, stack = rendered(
        image="nginx:[[TAG]]", command=("sh", "-c", "echo $HOME $[[TAG]]"), labels={"x": "[[L]]"},
        volumes=("/srv/[[WHERE]]:/www:ro",), more={"sysctls": {"a": "[[S]]"}},
    )  # fmt: skip
    assert service["image"] == "nginx:${VALUE_TAG}"
    assert service["command"] == ["sh", "-c", "echo $$HOME $$${VALUE_TAG}"]
    assert service["sysctls"] == {"a": "${VALUE_S}"}
    assert stack.environment == {f"VALUE_{name}": f"[[{name}]]" for name in ("TAG", "WHERE", "L", "S")}


def test_volumes_and_networks_have_the_names_they_were_given() -> None:
    service, document, _ = rendered(volumes=("data:/data", "/srv:/srv"), network="back")
    assert document["volumes"] == {"data": {"name": "data"}}
    assert service["networks"] == ["outer"]
    assert document["networks"] == {"outer": {"name": "back", "external": True}}
    assert rendered(network="host")[0]["network_mode"] == "host"


def test_health_checks() -> None:
    assert rendered(health_check=HealthCheck(command="curl -f $URL"))[0]["healthcheck"]["test"] == [
        "CMD-SHELL", "curl -f $$URL",
    ]  # fmt: skip
    assert rendered(health_check=HealthCheck(disabled=True))[0]["healthcheck"] == {"disable": True}


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"name": "a b"}, "name"),
        ({"image": ""}, "either image or build"),
        ({"build": "api"}, "either image or build"),
        ({"image": "No Image"}, "image"),
        ({"ports": ("80:99999",)}, "ports"),
        ({"volumes": ("relative:path",)}, "volumes"),
        ({"volumes": ("v[[X]]:/path",)}, "volumes"),
        ({"restart": "sometimes"}, "restart"),
        ({"more": {"ports": ["1"]}}, "more: ports has a field"),
        ({"per_server": {"local": {"PATH": "/x"}}}, "has to be in environment as well"),
        ({"health_check": HealthCheck(retries=0)}, "health_check"),
        ({"environment": {"A=B": "1"}}, "no name of a variable"),
    ],
)
def test_what_cannot_be_is_named(fields: dict[str, Any], words: str) -> None:
    with pytest.raises(UsageError) as caught:
        deployment(**fields)
    assert words in str(caught.value)
    assert "stack" not in caught.value.message


def test_the_image_of_a_build() -> None:
    mine = deployment(image="", build="api")
    plain = BuildDefinition(name="api", image_tags=BuildTags(postfix="-arm"))
    shipped, pushed = (
        with_image(mine, {"api": build})
        for build in (
            plain, msgspec.structs.replace(plain, registries=(BuildRegistry(domain="r:5000", organization="o"),)),
        )
    )  # fmt: skip
    assert (shipped.image, shipped.pull) == ("api:latest-arm", "missing")
    assert (pushed.image, pushed.pull) == ("r:5000/o/api:latest-arm", "always")
    with pytest.raises(UsageError, match="there is no build"):
        with_image(mine, {})
    with pytest.raises(UsageError, match="no tag 'latest'"):
        with_image(mine, {"api": BuildDefinition(name="api", image_tags=BuildTags(latest=False))})


def test_a_name_means_one_thing() -> None:
    web = deployment()
    add = DefineDeploymentOperation(verb="add", name="web", definition=web)
    assert draft_deployment(add, {}, {}).verb == "deployment add"
    with pytest.raises(RefusedError):
        draft_deployment(add, {"web": web}, {})
    with pytest.raises(RefusedError, match="that of the stack shop"):
        draft_deployment(add, {}, {"shop": StackDefinition(name="shop", project="web", compose="services: {}")})
    with pytest.raises(NotFoundError):
        draft_deployment(DefineDeploymentOperation(verb="remove", name="web"), {}, {})
