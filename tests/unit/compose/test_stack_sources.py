"""What an agent is sent of a stack: values where they may go, the repository with its token, env files."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from komodo_agent.wire.compose_values import names_in, with_variables
from komodo_tui.domain.errors import NotFoundError, UsageError
from komodo_tui.domain.repos import RepoDefinition
from komodo_tui.domain.stack_git import StackGit
from komodo_tui.domain.stacks import StackDefinition, check_stack
from komodo_tui.domain.values import VariableDefinition
from komodo_tui.operations.repo_definitions import RepoDefinitions
from komodo_tui.operations.stack_sources import StackSources
from komodo_tui.operations.values import StoredValues
from komodo_tui.store.definitions import DefinitionStore
from komodo_tui.store.secrets import SecretStore

if TYPE_CHECKING:
    from pathlib import Path

URL = "https://git.example.com/ana/shop.git"


class Lookups(StoredValues):
    """Variables of a store, secrets of a map."""

    secrets: dict[str, str]

    def lookup(self, stack: str, server: str) -> Any:
        """As the store does, without a file of secrets."""
        from komodo_tui.domain.interpolation import Value, scoped

        variables = {"TAG": "1.9", "server.web-2.TAG": "2.0", "NAME": "it's $(x)"}

        def find(full: str) -> Value | None:
            if full in self.secrets:
                return Value(self.secrets[full], secret=True)
            return Value(variables[full]) if full in variables else None

        return scoped(stack, server, find)


@pytest.fixture
def sources(tmp_path: Path) -> StackSources:
    definitions = DefinitionStore(tmp_path / "definitions.json")
    repo = RepoDefinition(name="shop", url=URL, branch="main", commit="abcdef1", token="GIT_TOKEN", username="ana")
    definitions.put("repo", "shop", repo, None)
    definitions.put("variable", "TAG", VariableDefinition(name="TAG", value="1.9"), None)
    values = Lookups(definitions, SecretStore(tmp_path / "secrets.age", tmp_path / "identity.txt"))
    values.secrets = {"GIT_TOKEN": "t0ken", "PASSWORD": "hunter2"}
    return StackSources(values, RepoDefinitions(definitions))


def stack(**fields: Any) -> StackDefinition:
    return check_stack(StackDefinition(**{"name": "shop", "servers": ("web-1",), **fields}))


def test_references_become_variables_of_compose() -> None:
    text = 'services: {web: {image: "app:[[TAG]]", command: [[[ TAG ]]], labels: {a: "[[1X]] [[a-b]]"}}}'
    assert names_in(text) == ("TAG",)
    assert with_variables(text) == (
        'services: {web: {image: "app:${VALUE_TAG}", command: [${VALUE_TAG}], labels: {a: "[[1X]] [[a-b]]"}}}'
    )


def test_values_of_a_compose_file_are_in_the_environment_alone(sources: StackSources) -> None:
    text = "services: {web: {image: 'app:[[TAG]]', environment: {P: '[[PASSWORD]]'}}}"
    defined = stack(compose=text, attached={"x.env": "A=[[TAG]]"}, env_files=("x.env",), environment={"E": "[[NAME]]"})
    source = sources.source(defined, "web-2")
    assert source.environment == {"E": "it's $(x)", "VALUE_TAG": "2.0", "VALUE_PASSWORD": "hunter2"}
    assert source.secret_keys == ("VALUE_PASSWORD",)
    contents = {file.path: file.content for file in source.files}
    assert contents["compose.yaml"] == with_variables(text)
    assert contents["x.env"] == "A=[[TAG]]"
    assert (source.env_files, source.templates["VALUE_TAG"]) == (("x.env",), "[[TAG]]")
    with pytest.raises(UsageError, match="NOWHERE"):
        sources.source(stack(compose="services: {web: {image: '[[NOWHERE]]'}}"), "web-1")


def test_a_repo_of_ours_gives_its_url_login_branch_and_commit(sources: StackSources) -> None:
    plain = sources.source(stack(git=StackGit(repo="shop", folder="deploy")), "web-1").git
    assert plain is not None
    assert (plain.repo.url, plain.repo.branch, plain.repo.commit, plain.folder) == (URL, "main", "abcdef1", "deploy")
    assert (plain.repo.username, plain.repo.token) == ("ana", "t0ken")
    other = sources.source(stack(git=StackGit(repo="shop", branch="next")), "web-1").git
    assert other is not None
    assert (other.repo.branch, other.repo.commit) == ("next", "")
    with pytest.raises(NotFoundError, match="there is no repo 'none'"):
        sources.source(stack(git=StackGit(repo="none")), "web-1")
    with pytest.raises(NotFoundError, match="there is no secret GONE"):
        sources.source(stack(git=StackGit(url=URL, token="GONE")), "web-1")


def test_values_that_files_elsewhere_want_are_sent_when_asked_for(sources: StackSources) -> None:
    defined = stack(folder="/srv/shop", files=("compose.yaml",), env_files=("a.env",))
    assert sources.source(defined, "web-1").environment == {}
    assert sources.source(defined, "web-1", ("TAG",)).environment == {"VALUE_TAG": "1.9"}


def test_words_take_variables_but_no_secrets(sources: StackSources) -> None:
    words = sources.words(
        stack(compose="services: {}", extra_args=("--scale", "web=[[TAG]]"), pre_deploy=("echo [[NAME]] 'a b'",)),
        "web-1",
    )
    assert words.extra_args == ("--scale", "web=1.9")
    assert words.pre_deploy == (("echo", "it's $(x)", "a b"),)
    for fields in ({"extra_args": ("[[PASSWORD]]",)}, {"post_deploy": ("curl -u x:[[PASSWORD]]",)}):
        with pytest.raises(UsageError, match="a secret would stand on a command line") as caught:
            sources.words(stack(compose="services: {}", **fields), "web-1")
        assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"git": StackGit()}, "either repo"),
        ({"git": StackGit(repo="a", url=URL)}, "either repo"),
        ({"git": StackGit(repo="a"), "folder": "/srv"}, "either compose"),
        ({"git": StackGit(repo="a"), "compose": "x"}, "either compose"),
        ({"git": StackGit(repo="a"), "attached": {"x": ""}}, "attached files go with compose"),
        ({"git": StackGit(repo="a", token="T")}, "the login is that of repo a"),
        ({"git": StackGit(url="ext::sh -c x")}, "is no URL"),
        ({"git": StackGit(url="--upload-pack=x")}, "begins with a dash"),
        ({"git": StackGit(repo="a", branch="-x")}, "begins with a dash"),
        ({"git": StackGit(repo="a", commit="HEAD")}, "is no commit"),
        ({"git": StackGit(repo="a", folder="../up")}, "is no path"),
        ({"git": StackGit(repo="a", folder="/etc")}, "is no path"),
        ({"git": StackGit(repo="a"), "env_files": ("../x",)}, "is no path"),
        ({"compose": "x", "env_files": ("no.env",)}, "no.env is not among"),
        ({"compose": "x", "files": ()}, "name at least one"),
    ],
)
def test_sources_that_cannot_be(fields: dict[str, Any], words: str) -> None:
    with pytest.raises(UsageError) as caught:
        stack(**fields)
    assert words in caught.value.message
