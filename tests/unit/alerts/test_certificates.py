"""Certificates of published ports, asked from real TLS servers on the loopback."""

from __future__ import annotations

import asyncio
import datetime
import ssl
import time
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from komodo_agent.wire.models import Engine, Port
from komodo_tui.domain.errors import HostUnreachableError
from komodo_tui.domain.servers import ServerDefinition
from komodo_tui.domain.settings import CertificateSettings
from komodo_tui.fleet import tls
from komodo_tui.fleet.live import ServerLive
from komodo_tui.fleet.local_tunnel import LocalTunnel
from komodo_tui.operations.alerts.certificates import CertificateSurvey
from tests.ui.fleets import container

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

DAY = 86400.0


def certificate(folder: Path, days: float) -> ssl.SSLContext:
    """A server's side, with a certificate that ends in so many days."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "shop.example")])
    end = datetime.datetime.now(datetime.UTC) + datetime.timedelta(days=days)
    made = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
        .serial_number(1).not_valid_before(end - datetime.timedelta(days=90)).not_valid_after(end)
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    path = folder / "server.pem"
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        ) + made.public_bytes(serialization.Encoding.PEM)
    )  # fmt: skip
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    return context


class Scene:
    """One server of which ports of the loopback are published, and clocks by hand."""

    def __init__(self) -> None:
        self.server = ServerLive(ServerDefinition(name="web-1", address="local"))
        self.server.status, self.server.engine = "up", Engine(status="up")
        self.later = 0.0
        self.asked = 0
        fleet: Any = SimpleNamespace(state=SimpleNamespace(servers={"web-1": self.server}), link=lambda name: self)
        self.survey = CertificateSurvey(
            fleet, lambda: CertificateSettings(), now=lambda: time.time() + self.later, monotonic=lambda: self.later
        )

    async def tunnel(self) -> Any:
        self.asked += 1
        tunnel: Any = LocalTunnel("web-1", SimpleNamespace())  # type: ignore[arg-type]  # no agent is started
        return tunnel

    def publish(self, port: int, private: int = 443, started: float = 1.0) -> None:
        one = container("proxy", 1, ports=(Port(private=private, public=port, ip="0.0.0.0"),), started=started)
        self.server.containers = {one.id: one}

    async def look(self, later: float = 0.0) -> list[tuple[str, str]]:
        """Let time pass and ask whose turn it is; what is told then."""
        self.later += later
        await self.survey.look()
        return self.told()

    def told(self) -> list[tuple[str, str]]:
        return [(r.level, r.subject.what) for r in self.survey.latest().readings]


@asynccontextmanager
async def listening(context: ssl.SSLContext | None, greeting: bytes = b"") -> AsyncIterator[int]:
    """A port that speaks TLS, or says something else."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(greeting)
        await reader.read(1)
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)
    async with server:
        yield server.sockets[0].getsockname()[1]


@pytest.mark.parametrize(
    ("days", "level"), [(60.0, None), (20.0, "warning"), (6.0, "critical"), (-1.0, "critical")]
)  # fmt: skip
async def test_what_ends_soon_is_told_by_its_container_and_port(days: float, level: str | None, tmp_path: Path) -> None:
    scene = Scene()
    async with listening(certificate(tmp_path, days)) as port:
        scene.publish(port)
        assert await scene.look() == ([] if level is None else [(level, f"proxy:{port}")])
        reading = next(iter(scene.survey.latest().readings), None)
        assert reading is None or (
            reading.subject.container == "proxy" and reading.value == pytest.approx(days, abs=0.1)
        )
        assert ("web-1", "ports") in scene.survey.latest().told


async def test_a_certificate_is_asked_for_seldom_and_its_days_go_by_without_asking(tmp_path: Path) -> None:
    scene = Scene()
    async with listening(certificate(tmp_path, 22.0)) as port:
        scene.publish(port)
        assert await scene.look() == []
        assert await scene.look(3600.0) == []
        assert scene.asked == 1
        scene.later += 2 * DAY
        assert scene.told() == [("warning", f"proxy:{port}")]
        await scene.look()
        assert scene.asked == 2


async def test_a_renewed_certificate_is_seen_soon(tmp_path: Path) -> None:
    scene = Scene()
    async with listening(certificate(tmp_path, 3.0)) as port:
        scene.publish(port)
        assert len(await scene.look()) == 1
    server = await asyncio.start_server(lambda r, w: None, "127.0.0.1", port, ssl=certificate(tmp_path, 90.0))
    async with server:
        assert await scene.look(601.0) == []


async def test_what_speaks_no_tls_is_not_asked_again_until_its_container_is_another() -> None:
    scene = Scene()
    async with listening(None, b"SSH-2.0-OpenSSH\r\n") as port:
        scene.publish(port)
        assert await scene.look() == await scene.look(3 * DAY) == []
        assert scene.asked == 1
        scene.publish(port, started=2.0)
        await scene.look()
        assert scene.asked == 2


async def test_what_says_nothing_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tls, "TIMEOUT", 0.05)
    scene = Scene()
    async with listening(None) as port:
        scene.publish(port)
        await scene.look()
        await scene.look(DAY)
    assert scene.asked == 1


async def test_ports_of_other_protocols_and_of_what_does_not_run_are_left_alone() -> None:
    scene = Scene()
    scene.publish(1, private=5432)
    await scene.look()
    one = container("proxy", 1, state="exited", ports=(Port(private=443, public=1),))
    scene.server.containers = {one.id: one}
    await scene.look()
    assert scene.asked == 0


async def test_what_was_known_stays_while_nobody_answers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scene = Scene()
    async with listening(certificate(tmp_path, 3.0)) as port:
        scene.publish(port)
        before = await scene.look()

    async def away(*_: object) -> None:
        raise HostUnreachableError("it is away", server="web-1")

    monkeypatch.setattr(LocalTunnel, "dial", away)
    assert await scene.look(601.0) == before != []
    scene.server.status = "unreachable"
    assert (scene.told(), scene.survey.latest().told) == ([], frozenset())
