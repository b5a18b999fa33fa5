"""What services tell of pushes by HTTP: who signed it, which delivery it is, what was pushed. Pure.

Sources: GitHub "Validating webhook deliveries" and "push" event; GitLab "Webhook events" and its signing token; Gitea
and Forgejo "Webhooks"; Bitbucket Cloud and Data Center "Event payloads", "Secure webhooks"; the generic kind follows
the Standard Webhooks specification (standardwebhooks.com), or signs the body alone as GitHub does.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import parse_qs

import msgspec

from komodo_tui.domain.text import clean

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

Service = Literal["github", "gitlab", "gitea", "bitbucket", "generic"]

TOLERANCE = 300.0
"""Seconds that the time in a generic delivery's signature may be off, as the specification asks for."""
_COMMIT = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_ID = re.compile(r"[\x21-\x7e]{1,128}")
_SHOWN = 200
_FILES = 500
_LONGEST_PATH = 1000
_HEADS = "refs/heads/"


class Delivery(msgspec.Struct, frozen=True, kw_only=True):
    """One delivery that may be believed."""

    service: Service
    ids: tuple[str, ...]
    """What it is recognised by when it comes again: its id and, since no service but the generic one signs that,
    its body."""
    pushed: tuple[Pushed, ...] = ()
    ignored: str = ""
    """Why it tells of no push to act on."""


class Pushed(msgspec.Struct, frozen=True, kw_only=True):
    """A branch that was pushed to."""

    branch: str = ""
    """Empty = not said."""
    commit: str = ""
    who: str = ""
    subject: str = ""
    main: bool = False
    """It is the repository's main branch, as far as the delivery tells."""
    files: tuple[str, ...] = ()
    """Some that its commits changed. Services leave some out: what is not here may have changed, too."""


class ForgedError(Exception):
    """The signature is missing or wrong."""


class MalformedError(Exception):
    """It is signed, and cannot be read all the same."""


def service_of(headers: Mapping[str, str]) -> Service:
    """Who sent it, by headers that only that service has. Gitea also sends GitHub's, so it is asked for first."""
    if "X-Gitea-Event" in headers or "X-Forgejo-Event" in headers:
        return "gitea"
    if "X-GitHub-Event" in headers:
        return "github"
    if "X-Gitlab-Event" in headers:
        return "gitlab"
    return "bitbucket" if "X-Event-Key" in headers else "generic"


def verify(headers: Mapping[str, str], body: bytes, secret: str, now: float) -> tuple[Service, str]:
    """The service, and the id of the delivery (empty = it has none).

    The comparison takes the same time whatever is wrong.

    Raises:
        ForgedError: the secret is empty, or the sender does not know it.
    """
    service = service_of(headers)
    key = secret.encode()
    good = _signed(service, headers, body, key, now)  # before the secret is looked at: it takes its time either way
    if not key.strip() or not good:
        raise ForgedError
    names = {
        "github": ("X-GitHub-Delivery",), "gitlab": ("Idempotency-Key", "X-Gitlab-Event-UUID"),
        "gitea": ("X-Gitea-Delivery", "X-Forgejo-Delivery"), "bitbucket": ("X-Request-UUID", "X-Request-Id"),
        "generic": ("webhook-id", "X-Delivery-Id"),
    }[service]  # fmt: skip
    found = next((headers[name] for name in names if name in headers), "")
    return service, found if _ID.fullmatch(found) else ""


def _signed(service: Service, headers: Mapping[str, str], body: bytes, key: bytes, now: float) -> bool:
    standard = "webhook-signature" in headers and _standard(headers, body, key, now)
    if service == "gitlab":  # its signing token; or its secret token, which it sends as it is: by TLS or not at all
        return standard | hmac.compare_digest(hashlib.sha256(headers.get("X-Gitlab-Token", "").encode()).digest(),
                                              hashlib.sha256(key).digest())  # fmt: skip
    if service == "generic" and "webhook-signature" in headers:
        return standard
    given = headers.get("X-Hub-Signature-256") or headers.get("X-Hub-Signature", "")
    if service == "gitea":
        given = headers.get("X-Gitea-Signature") or headers.get("X-Forgejo-Signature") or given
    expected = hmac.new(key, body, hashlib.sha256).hexdigest()
    return hmac.compare_digest(given.removeprefix("sha256=").encode("utf-8", "replace"), expected.encode())


def _standard(headers: Mapping[str, str], body: bytes, key: bytes, now: float) -> bool:
    """``webhook-id``, ``webhook-timestamp`` and the body are signed together: a copy is known by its id."""
    name, stamp = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    if not _ID.fullmatch(name) or not re.fullmatch(r"\d{1,12}", stamp) or abs(now - int(stamp)) > TOLERANCE:
        return False
    if key.startswith(b"whsec_"):
        try:
            key = base64.b64decode(key.removeprefix(b"whsec_"), validate=True)
        except binascii.Error:
            return False
        if not key:
            return False
    expected = base64.b64encode(hmac.new(key, f"{name}.{stamp}.".encode() + body, hashlib.sha256).digest())
    given = [word.removeprefix("v1,").encode() for word in headers["webhook-signature"].split() if word[:3] == "v1,"]
    return any([hmac.compare_digest(one, expected) for one in given])  # a list: all of them are compared


def read(headers: Mapping[str, str], body: bytes, service: Service, name: str) -> Delivery:
    """What a delivery that was verified tells; ``name`` is its id.

    Raises:
        MalformedError: it is no JSON, or not what the service sends.
    """
    signed_id = service == "generic" and "webhook-signature" in headers
    ids = (name,) if signed_id else tuple(filter(None, (name, f"sha256:{hashlib.sha256(body).hexdigest()}")))
    event = _event(headers, service)
    if event not in _PUSHES[service]:
        return Delivery(
            service=service, ids=ids, ignored=f"it tells of {clean(event)[:60] or 'nothing'}, not of a push"
        )
    try:
        text = _json_of(headers, body)
        plain = msgspec.json.decode(text) if text.strip() or service != "generic" else {}
    except (msgspec.DecodeError, ValueError, RecursionError) as error:
        raise MalformedError("the body is no JSON; set the content type to application/json") from error
    if not isinstance(plain, dict):
        raise MalformedError("the body is no JSON object")
    pushed = _bitbucket(plain) if service == "bitbucket" else _READERS[service](plain)
    return Delivery(
        service=service, ids=ids, pushed=tuple(pushed), ignored="" if pushed else "no branch was pushed to, or one went"
    )  # fmt: skip


def _json_of(headers: Mapping[str, str], body: bytes) -> bytes:
    """The body, or what a form has as its ``payload``: GitHub sends that unless it is told otherwise."""
    if not headers.get("Content-Type", "").startswith("application/x-www-form-urlencoded"):
        return body
    return parse_qs(body, max_num_fields=10).get(b"payload", [b""])[0]


_PUSHES: dict[Service, tuple[str, ...]] = {
    "github": ("push",), "gitea": ("push",), "gitlab": ("Push Hook",), "bitbucket": ("repo:push", "repo:refs_changed"),
    "generic": ("", "push"),
}  # fmt: skip


def _event(headers: Mapping[str, str], service: Service) -> str:
    if service == "gitea":
        return headers.get("X-Gitea-Event") or headers.get("X-Forgejo-Event", "")
    name = {"github": "X-GitHub-Event", "gitlab": "X-Gitlab-Event", "bitbucket": "X-Event-Key"}
    return headers.get(name.get(service, "X-Event"), "")


def _hub(plain: dict[str, Any]) -> list[Pushed]:
    """GitHub, Gitea and Forgejo."""
    branch, commit = _branch(plain.get("ref")), _commit(plain.get("after"))
    if not branch or not commit:
        return []
    main = _at(plain, "repository", "default_branch")
    who = _at(plain, "pusher", "login") or _at(plain, "pusher", "name")
    return [Pushed(branch=branch, commit=commit, who=_text(who), main=main == branch, files=_files(plain),
                   subject=_subject(_at(plain, "head_commit", "message")))]  # fmt: skip


def _gitlab(plain: dict[str, Any]) -> list[Pushed]:
    branch, commit = _branch(plain.get("ref")), _commit(plain.get("after"))
    if not branch or not commit:
        return []
    commits = plain.get("commits")
    message = ""
    for one in commits if isinstance(commits, list) else ():
        if isinstance(one, dict) and one.get("id") == commit:
            message = one.get("message", "")
    return [Pushed(branch=branch, commit=commit, who=_text(plain.get("user_username")), subject=_subject(message),
                   main=_at(plain, "project", "default_branch") == branch, files=_files(plain))]  # fmt: skip


def _generic(plain: dict[str, Any]) -> list[Pushed]:
    """``{"ref": "refs/heads/main", "after": "…"}``, both of which may be missing."""
    ref = plain.get("ref", plain.get("branch", ""))
    branch = _branch(ref) or (_text(ref) if isinstance(ref, str) and not ref.startswith("refs/") else "")
    if ref and not branch:
        return []
    commit = plain.get("after", plain.get("commit", ""))
    return [Pushed(branch=branch, commit=_commit(commit), who=_text(plain.get("who")),
                   subject=_subject(plain.get("message")), files=_files(plain))]  # fmt: skip


def _bitbucket(plain: dict[str, Any]) -> list[Pushed]:
    """Cloud has ``push.changes``, Data Center ``changes``."""
    who = _text(_at(plain, "actor", "nickname") or _at(plain, "actor", "name"))
    found = []
    cloud = _at(plain, "push", "changes")
    for change in cloud if isinstance(cloud, list) else ():
        if _at(change, "new", "type") == "branch":
            found.append(Pushed(
                branch=_text(_at(change, "new", "name")), commit=_commit(_at(change, "new", "target", "hash")), who=who,
                subject=_subject(_at(change, "new", "target", "message")),
            ))  # fmt: skip
    own = plain.get("changes")
    for change in own if isinstance(own, list) else ():
        if _at(change, "ref", "type") == "BRANCH" and _at(change, "type") != "DELETE":
            commit = _commit(_at(change, "toHash"))
            found.append(Pushed(branch=_branch(_at(change, "ref", "id")), commit=commit, who=who))
    return [one for one in found if one.branch and one.commit]


_READERS: dict[Service, Callable[[dict[str, Any]], list[Pushed]]] = {
    "github": _hub, "gitea": _hub, "gitlab": _gitlab, "generic": _generic,
}  # fmt: skip


def _at(value: Any, *keys: str) -> Any:
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value


def _branch(ref: Any) -> str:
    return clean(ref.removeprefix(_HEADS))[:_SHOWN] if isinstance(ref, str) and ref.startswith(_HEADS) else ""


def _commit(value: Any) -> str:
    """Empty for all zeros: that is a branch that went."""
    return value if isinstance(value, str) and _COMMIT.fullmatch(value) and value.strip("0") else ""


def _text(value: Any) -> str:
    return clean(value)[:_SHOWN] if isinstance(value, str) else ""


def _files(plain: dict[str, Any]) -> tuple[str, ...]:
    """Of GitHub, GitLab, Gitea and Forgejo alike."""
    found: dict[str, None] = {}
    commits = plain.get("commits")
    for commit in commits if isinstance(commits, list) else ():
        for key in ("added", "modified", "removed"):
            names = _at(commit, key)
            for name in names if isinstance(names, list) else ():
                if isinstance(name, str) and len(name) <= _LONGEST_PATH:
                    found[name] = None
                if len(found) >= _FILES:
                    return tuple(found)
    return tuple(found)


def _subject(message: Any) -> str:
    return _text(message.strip().split("\n", 1)[0]) if isinstance(message, str) else ""
