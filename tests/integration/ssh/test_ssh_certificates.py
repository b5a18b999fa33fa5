"""The certificate of a port that only the server itself can reach, over the connection that is there."""

from __future__ import annotations

import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from komodo_tui.domain.errors import UnreachableError
from komodo_tui.fleet.tls import certificate_end
from tests.integration.ssh.lab import definition, fleet
from tests.unit.alerts.test_certificates import DAY, certificate

if TYPE_CHECKING:
    from pathlib import Path

    from tests.integration.ssh.lab import RemoteAgent

pytestmark = pytest.mark.rig

_SERVE = """
import socket, ssl, sys
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(sys.argv[1])
listener = socket.create_server(("127.0.0.1", 0))
print(listener.getsockname()[1], flush=True)
context.wrap_socket(listener.accept()[0], server_side=True).read(1)
"""


async def test_a_port_of_the_server_is_asked_through_its_connection(agent: RemoteAgent, tmp_path: Path) -> None:
    certificate(tmp_path, 10.0)
    words = ["nsenter", f"--net={agent.server.netns}", sys.executable, "-c", _SERVE, str(tmp_path / "server.pem")]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            port = int(process.stdout.readline())
            async with fleet(tmp_path / "home", agent.server.ssh_config, definition(agent)) as our:
                await our.up("alpha")
                tunnel = await our.manager.link("alpha").tunnel()
                ends = await certificate_end(await tunnel.dial("127.0.0.1", port), "alpha")
                assert ends - time.time() == pytest.approx(10 * DAY, abs=600)
                with pytest.raises(UnreachableError, match="port 1 "):
                    await tunnel.dial("127.0.0.1", 1)
                await our.up("alpha")  # a port nobody listens on is no end of the connection
        finally:
            process.kill()
