"""An SSH destination with everything ~/.ssh/config says about it, and the reading of ``ssh -G``."""

from __future__ import annotations

import os
import pwd
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

DEFAULT_KNOWN_HOSTS = ("~/.ssh/known_hosts", "~/.ssh/known_hosts2")
DEFAULT_GLOBAL_KNOWN_HOSTS = ("/etc/ssh/ssh_known_hosts", "/etc/ssh/ssh_known_hosts2")
DEFAULT_IDENTITIES = tuple(f"~/.ssh/id_{kind}" for kind in ("rsa", "ecdsa", "ed25519"))
_NOWHERE = frozenset({"none", "/dev/null"})


class SshHost(msgspec.Struct, frozen=True, kw_only=True):
    """Where and how to connect. Equal destinations are one connection (bastions are shared by it)."""

    name: str
    """As it was asked for: an alias, or a host."""
    host: str
    port: int = 22
    user: str
    identity_files: tuple[str, ...] = ()
    """Existing and missing ones alike; tokens and ``~`` expanded."""
    identities_only: bool = False
    identity_agent: str | None = None
    """Socket of the ssh-agent; None = none."""
    certificate_files: tuple[str, ...] = ()
    known_hosts: tuple[str, ...] = ()
    """Files of the user; the first one takes new keys. Never empty, whatever the configuration says."""
    global_known_hosts: tuple[str, ...] = ()
    host_key_alias: str = ""
    hash_known_hosts: bool = False
    proxy_command: str = ""
    """Tokens not yet expanded."""
    jump: SshHost | None = None
    """The host to go through."""
    address_family: str = "any"
    bind_address: str = ""
    ciphers: tuple[str, ...] = ()
    macs: tuple[str, ...] = ()
    kex: tuple[str, ...] = ()
    """Algorithms the configuration allows; empty = no wish."""
    methods: tuple[str, ...] = ()
    """PreferredAuthentications; empty = no wish."""
    public_key: bool = True
    password: bool = True
    keyboard_interactive: bool = True
    compression: bool = False

    @property
    def key_name(self) -> str:
        """The name its key has in known_hosts."""
        return self.host_key_alias or self.host.lower()

    @property
    def key_port(self) -> int:
        """The port its key has in known_hosts; an alias has none."""
        return 22 if self.host_key_alias else self.port

    def expand(self, text: str) -> str:
        """Replace ssh's ``%`` tokens."""
        home, local = os.path.expanduser("~"), _local_user()
        tokens = {"%": "%", "d": home, "h": self.host, "n": self.name, "p": str(self.port), "r": self.user, "u": local}
        tokens["i"] = str(os.getuid())
        parts = text.split("%")
        expanded, position = parts[0], 1
        while position < len(parts):
            part = parts[position]
            if not part and position + 1 < len(parts):  # %%
                expanded += "%" + parts[position + 1]
                position += 2
                continue
            expanded += tokens.get(part[:1], f"%{part[:1]}") + part[1:]
            position += 1
        return expanded


def from_ssh(name: str, output: str) -> tuple[SshHost, str]:
    """Read what ``ssh -G`` printed: the destination (without its jump host) and the value of ProxyJump.

    Raises:
        KeyError: it is not the output of ``ssh -G``.
    """
    many: dict[str, list[str]] = {}
    for line in output.splitlines():
        key, _, value = line.partition(" ")
        many.setdefault(key.lower(), []).append(value.strip())
    one = {key: values[0] for key, values in many.items()}
    host = SshHost(
        name=name,
        host=one["hostname"],
        port=int(one.get("port", "22")),
        user=one["user"],
        identities_only=_yes(one, "identitiesonly"),
        identity_agent=_agent(one.get("identityagent", "")),
        known_hosts=_files(one.get("userknownhostsfile", "").split()) or _expand_all(DEFAULT_KNOWN_HOSTS),
        global_known_hosts=_files(one.get("globalknownhostsfile", "").split()),
        host_key_alias=_unless_none(one.get("hostkeyalias", "")),
        hash_known_hosts=_yes(one, "hashknownhosts"),
        proxy_command=_unless_none(one.get("proxycommand", "")),
        address_family=one.get("addressfamily", "any"),
        bind_address=one.get("bindaddress", ""),
        ciphers=_names(one, "ciphers"),
        macs=_names(one, "macs"),
        kex=_names(one, "kexalgorithms"),
        methods=_names(one, "preferredauthentications"),
        public_key=one.get("pubkeyauthentication", "yes") not in ("no", "false"),
        password=_yes(one, "passwordauthentication", default="yes"),
        keyboard_interactive=_yes(one, "kbdinteractiveauthentication", default="yes"),
        compression=_yes(one, "compression"),
    )
    keys = [value for value in many.get("identityfile", []) if value != "none"]
    certificates = many.get("certificatefile", [])
    host = msgspec.structs.replace(
        host, identity_files=_expand_tokens(host, keys), certificate_files=_expand_tokens(host, certificates)
    )
    return host, _unless_none(one.get("proxyjump", ""))


def from_options(name: str, options: Mapping[str, object]) -> tuple[SshHost, str]:
    """The same from the options asyncssh's parser found, where there is no ``ssh`` to ask."""

    def text(key: str) -> str:
        value = options.get(key)
        return value if isinstance(value, str) else ""

    def texts(key: str) -> list[str]:
        value = options.get(key)
        return [str(item) for item in value] if isinstance(value, list | tuple) else []

    def flag(key: str, default: bool) -> bool:
        value = options.get(key)
        return value if isinstance(value, bool) else default

    port = options.get("Port")
    host = SshHost(
        name=name,
        host=text("Hostname") or name,
        port=port if isinstance(port, int) else 22,
        user=text("User") or _local_user(),
        identity_files=_expand_all(texts("IdentityFile") or DEFAULT_IDENTITIES),
        identities_only=flag("IdentitiesOnly", False),
        identity_agent=_agent(text("IdentityAgent")),
        certificate_files=_expand_all(texts("CertificateFile")),
        known_hosts=_files(texts("UserKnownHostsFile")) or _expand_all(DEFAULT_KNOWN_HOSTS),
        global_known_hosts=_files(texts("GlobalKnownHostsFile") or DEFAULT_GLOBAL_KNOWN_HOSTS),
        host_key_alias=text("HostKeyAlias"),
        proxy_command=_unless_none(text("ProxyCommand")),
        bind_address=text("BindAddress"),
        methods=tuple(filter(None, text("PreferredAuthentications").split(","))),
        public_key=flag("PubkeyAuthentication", True),
        password=flag("PasswordAuthentication", True),
        keyboard_interactive=flag("KbdInteractiveAuthentication", True),
        compression=flag("Compression", False),
    )
    return host, _unless_none(text("ProxyJump"))


def home_of_ssh() -> str:
    """The home directory ``ssh`` itself takes: that of the password database, not ``$HOME``."""
    try:
        return pwd.getpwuid(os.getuid()).pw_dir
    except KeyError:
        return os.path.expanduser("~")


def _files(values: Sequence[str]) -> tuple[str, ...]:
    """Paths of known_hosts files. Those that say "nowhere" are left out: they would switch verification off."""
    theirs, ours = home_of_ssh(), os.path.expanduser("~")
    kept = _expand_all([value for value in values if value.lower() not in _NOWHERE])
    if theirs == ours:
        return kept
    return tuple(f"{ours}{path[len(theirs) :]}" if path.startswith(f"{theirs}/.ssh/") else path for path in kept)


def _expand_all(paths: Sequence[str]) -> tuple[str, ...]:
    return tuple(os.path.expanduser(path) for path in paths)


def _expand_tokens(host: SshHost, values: Sequence[str]) -> tuple[str, ...]:
    return tuple(os.path.expanduser(host.expand(value.strip('"'))) for value in values)


def _agent(value: str) -> str | None:
    if value.lower() == "none":
        return None
    if value.startswith("$"):
        value = os.environ.get(value[1:].strip("{}"), "")
    if not value or value == "SSH_AUTH_SOCK":
        value = os.environ.get("SSH_AUTH_SOCK", "")
    path = os.path.expanduser(value)
    return path if path and Path(path).exists() else None


def _names(one: Mapping[str, str], key: str) -> tuple[str, ...]:
    return tuple(filter(None, one.get(key, "").split(",")))


def _yes(one: Mapping[str, str], key: str, default: str = "no") -> bool:
    return one.get(key, default).lower() in ("yes", "true")


def _unless_none(value: str) -> str:
    return "" if value.lower() == "none" else value


def _local_user() -> str:
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return os.environ.get("USER", "")
