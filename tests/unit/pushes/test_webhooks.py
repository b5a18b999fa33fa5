"""Deliveries of webhooks: who may be believed, and what they tell."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st
from multidict import CIMultiDict

from komodo_tui.domain.webhooks import Delivery, ForgedError, MalformedError, read, verify

SECRET = "It's a Secret to Everybody"
NOW = 1_800_000_000.0
COMMIT = "3f1c9a0b27d13f1c9a0b27d13f1c9a0b27d13f1c"
HUB = {
    "ref": "refs/heads/main", "before": "0" * 40, "after": COMMIT, "pusher": {"name": "ana"},
    "repository": {"default_branch": "main"}, "head_commit": {"message": "Fix [b]it[/b]\x1b[31m\n\nlong"},
}  # fmt: skip


def signed(body: bytes, secret: str = SECRET) -> str:
    return hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def told(headers: dict[str, str], plain: Any, *, secret: str = SECRET, now: float = NOW) -> Delivery:
    """Verify and read one."""
    body = plain if isinstance(plain, bytes) else json.dumps(plain).encode()
    found = CIMultiDict({name: value.replace("SIGNED", signed(body)) for name, value in headers.items()})
    service, name = verify(found, body, secret, now)
    return read(found, body, service, name)


GITHUB = {"X-GitHub-Event": "push", "X-GitHub-Delivery": "72d3162e", "X-Hub-Signature-256": "sha256=SIGNED"}
GITEA = {"X-Gitea-Event": "push", "X-GitHub-Event": "push", "X-Gitea-Delivery": "f6266f16",
         "X-Gitea-Signature": "SIGNED"}  # fmt: skip
GITLAB = {"X-Gitlab-Event": "Push Hook", "X-Gitlab-Event-UUID": "13792a34", "X-Gitlab-Token": SECRET}
CLOUD = {"X-Event-Key": "repo:push", "X-Request-UUID": "a1", "X-Hub-Signature": "sha256=SIGNED"}


def test_githubs_own_example_is_verified() -> None:
    # From GitHub's "Validating webhook deliveries": secret, payload and signature to test an implementation with.
    wanted = "757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"
    assert signed(b"Hello, World!") == wanted
    headers = CIMultiDict({"X-GitHub-Event": "push", "X-Hub-Signature-256": f"sha256={wanted}"})
    assert verify(headers, b"Hello, World!", SECRET, NOW) == ("github", "")


@pytest.mark.parametrize("headers", [GITHUB, GITEA])
def test_a_push_to_a_hub(headers: dict[str, str]) -> None:
    delivery = told(headers, HUB)
    (pushed,) = delivery.pushed
    assert (pushed.branch, pushed.commit, pushed.who, pushed.main) == ("main", COMMIT, "ana", True)
    assert pushed.subject.startswith("Fix [b]it[/b]")
    assert "\x1b" not in pushed.subject
    assert len(delivery.ids) == 2


def test_a_push_in_a_form() -> None:
    form = {**GITHUB, "Content-Type": "application/x-www-form-urlencoded"}
    assert told(form, urlencode({"payload": json.dumps(HUB)}).encode()).pushed[0].commit == COMMIT
    for body in (b"", b"payload=", b"&".join(b"a%d=b" % n for n in range(20)), b"payload=%ff"):
        with pytest.raises(MalformedError):
            told(form, body)


def test_a_push_to_gitlab_and_to_both_bitbuckets() -> None:
    plain = {"ref": "refs/heads/work", "after": COMMIT, "user_username": "ana", "commits": [
        {"id": "0" * 40, "message": "old"}, {"id": COMMIT, "message": "new\n"}], "project": {"default_branch": "main"},
    }  # fmt: skip
    (pushed,) = told(GITLAB, plain).pushed
    assert (pushed.branch, pushed.commit, pushed.subject, pushed.main) == ("work", COMMIT, "new", False)
    target = {"hash": COMMIT, "message": "new"}
    changes = [{"new": {"type": "branch", "name": "main", "target": target}}, {"new": None, "closed": True}]
    (pushed,) = told(CLOUD, {"push": {"changes": changes}, "actor": {"nickname": "ana"}}).pushed
    assert (pushed.branch, pushed.commit, pushed.who) == ("main", COMMIT, "ana")
    own = [{"ref": {"id": "refs/heads/main", "type": "BRANCH"}, "type": "UPDATE", "toHash": COMMIT}]
    headers = {**CLOUD, "X-Event-Key": "repo:refs_changed"}
    assert told(headers, {"changes": own}).pushed[0].commit == COMMIT


def test_files_that_a_delivery_names() -> None:
    commits = [{"id": COMMIT, "added": ["a.md"], "modified": ["b", "a.md", 7, "x" * 2000], "removed": ["c"]},
               {"modified": [f"f{n}" for n in range(600)]}, "none", {"added": "d"}]  # fmt: skip
    (pushed,) = told(GITHUB, {**HUB, "commits": commits}).pushed
    assert pushed.files[:4] == ("a.md", "b", "c", "f0")
    assert len(pushed.files) == 500
    for headers in (GITEA, GITLAB, {"X-Hub-Signature-256": "sha256=SIGNED"}):
        assert told(headers, {**HUB, "commits": commits[:1]}).pushed[0].files == ("a.md", "b", "c")


def test_generic_deliveries() -> None:
    body = json.dumps({"ref": "refs/heads/main", "after": COMMIT}).encode()
    assert told({"X-Hub-Signature-256": "sha256=SIGNED"}, body).pushed[0].commit == COMMIT
    assert told({"X-Hub-Signature-256": "SIGNED"}, b"").pushed[0].branch == ""
    key = base64.b64encode(hmac.new(SECRET.encode(), f"m1.{int(NOW)}.".encode() + body, hashlib.sha256).digest())
    headers = {"webhook-id": "m1", "webhook-timestamp": f"{int(NOW)}", "webhook-signature": f"v1,x v1,{key.decode()}"}
    assert told(headers, body).ids == ("m1",)
    with pytest.raises(ForgedError):
        told(headers, body, now=NOW + 301)
    with pytest.raises(ForgedError):
        told({**headers, "webhook-id": "m2"}, body)


def test_gitlab_signs_with_a_signing_token_or_sends_the_secret_token() -> None:
    token = f"whsec_{base64.b64encode(bytes(range(32))).decode()}"
    body = json.dumps({"ref": "refs/heads/main", "after": COMMIT, "project": {"default_branch": "main"}}).encode()
    key = hmac.new(bytes(range(32)), f"u1.{int(NOW)}.".encode() + body, hashlib.sha256).digest()
    headers = {
        "X-Gitlab-Event": "Push Hook", "Idempotency-Key": "u1", "webhook-id": "u1", "webhook-timestamp": f"{int(NOW)}",
        "webhook-signature": f"v1,{base64.b64encode(key).decode()}",
    }  # fmt: skip
    delivery = told(headers, body, secret=token)
    assert (delivery.service, delivery.ids[0], delivery.pushed[0].main) == ("gitlab", "u1", True)
    for changed, secret in (({"webhook-timestamp": "1"}, token), ({"webhook-id": "u2"}, token), ({}, SECRET)):
        with pytest.raises(ForgedError):
            told({**headers, **changed}, body, secret=secret)
    with pytest.raises(ForgedError):
        told(headers, body + b" ", secret=token)
    assert told({**headers, "X-Gitlab-Token": SECRET}, body).pushed, "both are set there, and ours is the secret token"


def test_a_secret_with_no_key_in_it_signs_nothing() -> None:
    key = base64.b64encode(hmac.new(b"", f"m1.{int(NOW)}.".encode(), hashlib.sha256).digest()).decode()
    headers = {"webhook-id": "m1", "webhook-timestamp": f"{int(NOW)}", "webhook-signature": f"v1,{key}"}
    for secret in ("whsec_", "whsec_=", "whsec_%", ""):
        with pytest.raises(ForgedError):
            told(headers, b"", secret=secret)


def test_forgejos_own_headers() -> None:
    both = {"X-Forgejo-Event": "push", "X-Forgejo-Delivery": "f1", "X-Forgejo-Signature": "SIGNED"}
    assert told(both, HUB).ids[0] == "f1"
    assert told({**both, "X-Gitea-Event": "push", "X-Gitea-Signature": "SIGNED"}, HUB).service == "gitea"
    with pytest.raises(ForgedError):
        told({**both, "X-Forgejo-Signature": "0" * 64}, HUB)


def test_a_deleted_branch_a_tag_and_other_events_are_no_pushes() -> None:
    assert not told(GITHUB, {**HUB, "after": "0" * 40, "deleted": True}).pushed
    assert not told(GITHUB, {**HUB, "ref": "refs/tags/v1"}).pushed
    assert "ping" in told({**GITHUB, "X-GitHub-Event": "ping"}, {"zen": ""}).ignored


@pytest.mark.parametrize("headers", [GITHUB, GITEA, GITLAB, CLOUD, {"X-Hub-Signature-256": "sha256=SIGNED"}])
@pytest.mark.parametrize("wrong", ["other", "", "  "])
def test_forged_and_empty_secrets(headers: dict[str, str], wrong: str) -> None:
    with pytest.raises(ForgedError):
        told(headers, HUB, secret=wrong)
    bare = {name: value for name, value in headers.items() if "SIGNED" not in value and value != SECRET}
    with pytest.raises(ForgedError):
        told(bare, HUB)
    with pytest.raises(ForgedError):
        told({**bare, "X-Hub-Signature-256": "", "X-Gitlab-Token": ""}, HUB, secret=wrong)


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"\xff", b"[" * 100_000, b'"push"'])
def test_signed_and_malformed(body: bytes) -> None:
    with pytest.raises(MalformedError):
        told(GITHUB, body)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
        st.sampled_from(["ref", "after", "push", "changes", "new", "target", "repository", "commits", "added", "type"]),
        inner, max_size=5,
    ),
)  # fmt: skip


@given(st.dictionaries(st.sampled_from(["ref", "after", "push", "changes", "commits", "pusher"]), _JSON),
       st.sampled_from([GITHUB, GITEA, GITLAB, CLOUD, {"X-Hub-Signature-256": "SIGNED"}]))  # fmt: skip
def test_any_json_is_read_or_ignored(plain: dict[str, Any], headers: dict[str, str]) -> None:
    for pushed in told(headers, plain).pushed:
        assert pushed.branch.isprintable()
        assert len(pushed.commit) in (0, 40, 64)
