"""What git says, as progress, as lines of a job's log, and as errors that a person can act on."""

from __future__ import annotations

import asyncio
import re
import threading
from typing import TYPE_CHECKING

from ..problems import AgentError

if TYPE_CHECKING:
    from ..jobs import JobContext
    from ..wire.repos import RepoSource
    from .git import GitFailedError

_STEP = re.compile(r"(?:remote: )?([A-Z][A-Za-z ]+): +(\d{1,3})% .*")
_PATIENCE = 5.0
_SHOWN_FILES = 5

_NO_HOST = "the repository's server is not known there, so it was not trusted"
_HOST_HINT = "check a line of ssh-keyscan and put it into host_keys, or log in there once from the server by hand"

_REFUSED_KEY = r"Permission denied \(|Load key .*: |no such identity"
_AGENT_HINT = "ssh-add -l shows what it has: add the key that the repository's server knows, and look at the URL's user"


class Teller:
    """Takes lines of one git from its thread, and waits until each has been told: a flood holds git back."""

    def __init__(self, context: JobContext) -> None:
        self._context = context
        self._loop = asyncio.get_running_loop()

    def __call__(self, line: str) -> None:
        """One line; those that end in a carriage return are steps of something that has a number of them."""
        told = threading.Event()
        self._loop.call_soon_threadsafe(self._tell, line, told)
        told.wait(_PATIENCE)

    def _tell(self, line: str, told: threading.Event) -> None:
        step = _STEP.fullmatch(line.strip())
        if step is not None:
            self._context.progress(step[1].lower(), int(step[2]) / 100)
        if line.strip() and not line.endswith("\r"):
            self._context.log(line.rstrip())
        told.set()


def explained(error: GitFailedError, source: RepoSource) -> AgentError:
    """What went wrong, to what, and what to do about it."""
    words = error.words
    if source.ssh_agent and re.search(_REFUSED_KEY, words):
        return AgentError("failed", f"{source.url}: no key of the ssh-agent that was lent is let in", hint=_AGENT_HINT)
    for pattern, message, hint in _CAUSES:
        if re.search(pattern, words):
            return AgentError("failed", message.format(url=source.url, branch=source.branch or "HEAD"), hint=hint)
    last = next((line for line in reversed(words.splitlines()) if line.strip()), f"status {error.status}")
    return AgentError("failed", f"git: {last.strip()[:300]}")


def overwritten(error: GitFailedError) -> AgentError | None:
    """The refusal of git to overwrite files that were changed; None where it is another failure."""
    if "would be overwritten by" not in error.words and "would be removed by" not in error.words:
        return None
    files = [line.strip() for line in error.words.splitlines() if line.startswith("\t")]
    more = f" and {len(files) - _SHOWN_FILES} more" if len(files) > _SHOWN_FILES else ""
    return AgentError(
        "conflict",
        f"files that were changed in the clone would be overwritten: {', '.join(files[:_SHOWN_FILES])}{more}",
        hint="nothing was changed; look at them, move them away, or throw the changes away (discard)",
    )


_CAUSES = (
    (r"couldn't find remote ref|Remote branch .* not found", "there is no branch {branch} at {url} (any more)",
     "choose another branch in the repo's definition"),
    (r"transport '.*' not allowed|unsafe|is not supported", "{url} would need a protocol that is not used",
     "https, ssh or file"),
    (r"Host key verification failed|REMOTE HOST IDENTIFICATION HAS CHANGED", _NO_HOST, _HOST_HINT),
    (_REFUSED_KEY, "{url}: the server's ssh key was refused",
     "name the key (ssh_key), or add the server's public key to the repository"),
    (r"Authentication failed|could not read (Username|Password)|[Tt]he requested URL returned error: 40[13]",
     "{url}: the token was refused, or there is none", "keep a token as a secret and name it in the definition"),
    (r"dubious ownership", "{url} belongs to another user, so git does not read it", "give it to the agent's user"),
    (r"not appear to be a git repository|[Rr]epository .*not found|does not exist|returned error: 404|No such file",
     "there is no repository at {url}, or this login may not see it", "look at the URL and at the rights"),
    (r"Could not resolve host|Couldn't resolve host|Name or service not known|Temporary failure in name",
     "the host of {url} has no address", "look at the URL, and at the server's name resolution"),
    (r"Connection refused|[Cc]onnection timed out|No route to host|Failed to connect|Network is unreachable|reset by",
     "the server of {url} cannot be reached from there", "try again, or look at the network of the server"),
    (r"SSL certificate|certificate verify", "the certificate of {url} is not trusted",
     "set GIT_SSL_CAINFO for the agent, or mend the certificate"),
    (r"No space left on device", "the disk of the server is full", "free space there and try again"),
)  # fmt: skip
