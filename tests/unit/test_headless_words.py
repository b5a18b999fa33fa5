"""The command line says the same words as the screens, and what to type next."""

from __future__ import annotations

from typing import get_args

import pytest

from komodo_tui.domain.errors import ExitCode, HostKeyUnknownError, HostUnreachableError
from komodo_tui.domain.servers import ServerDefinition
from komodo_tui.fleet.live import ServerLive, ServerStatus
from komodo_tui.headless.arguments import parse
from komodo_tui.headless.overview import WORDS
from komodo_tui.operations.overview import problems
from komodo_tui.ui.servers.state import _DOWN


def _away(error: HostUnreachableError | HostKeyUnknownError) -> ServerLive:
    live = ServerLive(ServerDefinition(name="web-1", address="web-1"))
    live.status, live.error = "unreachable", error
    return live


def test_a_state_has_one_word() -> None:
    assert set(WORDS) == set(get_args(ServerStatus))
    assert {status: WORDS[status] for status in _DOWN} == {status: word for status, (word, _) in _DOWN.items()}


def test_a_new_key_comes_with_the_command_that_accepts_it() -> None:
    error = HostKeyUnknownError("m", host="h", port=22, algorithm="ssh-ed25519", fingerprint="SHA256:abc", key="k")
    (problem,) = problems(_away(error))
    assert problem.hint.endswith("komodo-tui server accept-key web-1 SHA256:abc")


def test_other_troubles_keep_their_own_hint() -> None:
    (problem,) = problems(_away(HostUnreachableError("no answer", hint="is it on?", server="web-1")))
    assert problem.hint == "is it on?"


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        (["restrat", "api"], "there is no 'restrat'; did you mean restart?"),
        (["server", "lst"], "there is no 'lst'; did you mean list?"),
        (["--color", "blue", "ps"], "there is no 'blue'; there are auto, never"),
    ],
)
def test_a_word_that_is_not_known_is_answered_with_what_is_near(
    capsys: pytest.CaptureFixture[str], argv: list[str], said: str
) -> None:
    with pytest.raises(SystemExit) as left:
        parse(argv)
    assert left.value.code == ExitCode.USAGE
    assert said in capsys.readouterr().err
