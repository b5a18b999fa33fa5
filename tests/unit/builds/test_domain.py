"""Versions, tags, and what a build's definition may be."""

from __future__ import annotations

from typing import Any

import pytest

from komodo_tui.domain.builds import (
    BuildDefinition,
    BuildOperation,
    BuildRegistry,
    BuildTags,
    check_build,
    job_of,
    next_version,
    pushed_name,
    tags_of,
)
from komodo_tui.domain.errors import UsageError
from komodo_tui.domain.repos import RepoDefinition


def build(**fields: Any) -> BuildDefinition:
    return BuildDefinition(**{"name": "api", "dockerfile": "FROM scratch\n", **fields})


@pytest.mark.parametrize(
    ("version", "built", "bump", "expected"),
    [
        ("1.4.0", "", "patch", "1.4.0"),
        ("1.4.0", "1.4.0", "patch", "1.4.1"),
        ("1.4.0", "1.4.9", "patch", "1.4.10"),
        ("1.4.0", "1.4.9", "minor", "1.5.0"),
        ("1.4.0", "1.4.9", "major", "2.0.0"),
        ("2.0.0", "1.4.9", "patch", "2.0.0"),
        ("1.10.0", "1.9.3", "patch", "1.10.0"),
        ("1.4.0", "1.4.9", "none", "1.4.0"),
    ],
)
def test_the_next_version(version: str, built: str, bump: Any, expected: str) -> None:
    assert next_version(build(version=version, bump=bump), built) == expected


def test_each_tag_can_be_left_out() -> None:
    assert tags_of(BuildTags(), "1.4.2") == ("1.4.2", "1.4", "1", "latest")
    assert tags_of(BuildTags(latest=False, minor=False, postfix="-arm"), "1.4.2") == ("1.4.2-arm", "1-arm")
    assert tags_of(BuildTags(latest=False, version=False, minor=False, major=False), "1.4.2") == ()


def test_the_image_is_named_after_the_build() -> None:
    assert build(name="My API").image_name == "my-api"
    made = build(image="shop/api", registries=(BuildRegistry(domain="127.0.0.1:5000", organization="ana"),))
    assert pushed_name(made, made.registries[0]) == "127.0.0.1:5000/ana/shop/api"


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"name": "-x"}, "no name for a build"),
        ({"dockerfile": ""}, "nothing to build"),
        ({"repo": "shop", "folder": "/srv"}, "either repo or folder"),
        ({"branch": "main"}, "go with repo"),
        ({"repo": "shop", "branch": "-main"}, "begins with a dash"),
        ({"repo": "shop", "commit": "xyz"}, "no commit"),
        ({"folder": "srv/app"}, "no absolute path"),
        ({"folder": "/srv/../etc"}, "no absolute path"),
        ({"path": "../other"}, "no path among the files"),
        ({"file": "/etc/passwd"}, "no path among the files"),
        ({"image": "Shop:latest"}, "no name for an image"),
        ({"version": "1.4"}, "no version"),
        ({"image_tags": BuildTags(postfix="+x")}, "postfix"),
        ({"build_args": {"a b": "1"}}, "no name for an argument"),
        ({"secrets": {"tok,src=/etc/shadow": "TOKEN"}}, "no name for a secret"),
        ({"secrets": {"tok": "not a name"}}, "not a name"),
        ({"platforms": ("--push",)}, "dash"),
        ({"target": "-o"}, "dash"),
        ({"pre_build": ("make 'x",)}, "cannot be read"),
        ({"registries": (BuildRegistry(domain="http://x"),)}, "no registry"),
        ({"timeout": 0.0}, "more than 0"),
    ],
)
def test_what_cannot_be_built(fields: dict[str, Any], words: str) -> None:
    with pytest.raises(UsageError) as caught:
        check_build(build(**fields))
    assert words in caught.value.message


def test_the_job_has_no_secret_and_no_token() -> None:
    repo = RepoDefinition(name="shop", url="https://git.example.com/shop.git", token="TOKEN")
    made = check_build(build(repo="shop", secrets={"npm": "NPM_TOKEN"}, pre_build=("make 'a b'",)))
    job = job_of(BuildOperation(build=made, server="web-1", version="1.2.3", repo=repo))
    assert job.secrets == {}
    assert job.secret_names == {"npm": "NPM_TOKEN"}
    assert job.source.repo is not None
    assert (job.source.repo.secret, job.source.repo.token) == ("TOKEN", "")
    assert job.before == (("make", "a b"),)
    assert (job.version, job.tags) == ("1.2.3", ("1.2.3", "1.2", "1", "latest"))
