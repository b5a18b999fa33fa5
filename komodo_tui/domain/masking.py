"""Which environment variables look like secrets, and what is shown instead of their values."""

from __future__ import annotations

import math
import re

MASK = "••••••"
"""Of one length, whatever it stands for: the length of a secret is none of a reader's business."""

_NAME = re.compile(
    r"PASS(?:WORD|WD|PHRASE)?\b|PASSWORD|PASSWD|SECRET|TOKEN|CREDENTIAL|PRIVATE|APIKEY|"
    r"(?:^|[_-])(?:KEY|PASS|PWD|SALT|AUTH|COOKIE|DSN|SESSION|SIGNATURE|CERT)(?:$|[_-])",
    re.IGNORECASE,
)
_URL = re.compile(r"(?P<head>\b[a-z][a-z0-9+.-]*://[^\s/:@]*:)(?P<password>[^\s/@]+)(?=@)", re.IGNORECASE)
_HEAD = re.compile(r"""([A-Za-z_][A-Za-z0-9_-]{0,63})["']?\s?[=:]\s?(?:(?:Bearer|Basic)\s)?["']?""")
"""``name=``, ``"name": "``: what comes before a value."""
_VALUE = re.compile(r"""[^\s"',;&]+""")
_WORD = re.compile(r"""[^\s"'=,;]+""")
_DENSE = re.compile(r"[A-Za-z0-9+/_=.-]{24,}")
_KNOWN = re.compile(
    r"-----BEGIN |\b(?:gh[pousr]_|github_pat_|glpat-|xox[abprs]-|AKIA|ASIA|eyJhbGci|sk-|AGE-SECRET-KEY-)"
)


def mask_env(name: str, value: str) -> str:
    """The value to show: masked whole when the variable looks like a secret, in part when a URL holds a password."""
    if not value:
        return value
    if not _is_file_reference(name) and (_NAME.search(name) or looks_secret(value)):
        return MASK
    return _URL.sub(lambda match: match["head"] + MASK, value)


def mask_line(line: str) -> str:
    """A line of a log to show elsewhere: what is named like a secret, or looks like one, is masked."""
    line = _URL.sub(lambda match: match["head"] + MASK, line)
    line = _mask_assigned(line)
    return _WORD.sub(lambda match: MASK if looks_secret(match[0]) else match[0], line)


def _mask_assigned(line: str) -> str:
    parts, at = list[str](), 0
    while head := _HEAD.search(line, at):
        parts.append(line[at : head.end()])
        at = head.end()
        value = _VALUE.match(line, at) if _names_secret(head[1]) else None
        if value is not None:
            parts.append(MASK)
            at = value.end()
    return "".join(parts) + line[at:]


def _names_secret(name: str) -> bool:
    return bool(_NAME.search(name)) or name.lower() == "authorization"


def looks_secret(value: str) -> bool:
    """Whether a value alone gives itself away: a known token's prefix, or long and without any pattern."""
    if _KNOWN.search(value):
        return True
    return bool(_DENSE.fullmatch(value)) and not value.isdigit() and _entropy(value) >= 4.2


def _is_file_reference(name: str) -> bool:
    """``DB_PASSWORD_FILE`` names a path, which is no secret."""
    return name.upper().endswith("_FILE")


def _entropy(text: str) -> float:
    """Shannon entropy in bits a character (C. E. Shannon, A Mathematical Theory of Communication, 1948)."""
    counts = [text.count(character) for character in set(text)]
    return -sum(count / len(text) * math.log2(count / len(text)) for count in counts)
