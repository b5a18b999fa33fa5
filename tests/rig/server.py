"""One private Docker server: its network namespace, engine and sshd."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import signal
import socket
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path

from tests.rig import images, releases
from tests.rig.compose import CACHE
from tests.rig.packages import find
from tests.rig.processes import alive, children, pids_in, run, spawn, stop, wait_for

RUN = Path("/run/komodo-rig")
DATA = Path("/var/tmp/komodo-rig")


@dataclass(frozen=True)
class Server:
    """Where a private server is, and the means to hurt it."""

    name: str
    number: int
    docker_host: str
    address: str
    ssh_port: int
    user: str
    key: str
    known_hosts: str
    ssh_config: str
    release: str = ""
    """The Debian whose engine it has, with images in containerd's store; empty: this machine's engine."""
    buildkit: bool = True
    """Whether its engine's settings leave BuildKit on."""

    @property
    def run_dir(self) -> Path:
        """Sockets, pids and logs."""
        return RUN / self.name

    @property
    def netns(self) -> str:
        """Path of the network namespace, for ``nsenter --net=``."""
        return f"/run/netns/kr-{self.name}"

    def docker(self, *arguments: str, timeout: float = 60) -> str:
        """Run the docker CLI against this engine and return its output."""
        return run(find("docker") or "docker", "-H", self.docker_host, *arguments, timeout=timeout)

    def ssh(self, *command: str, timeout: float = 60) -> str:
        """Run a command on it over its sshd."""
        return run("ssh", "-F", self.ssh_config, self.name, *command, timeout=timeout)

    def pid(self, what: str) -> int:
        """The pid of ``dockerd`` or ``sshd``."""
        return int((self.run_dir / f"{what}.pid").read_text())

    def start_engine(self) -> None:
        """Start dockerd and wait for its API."""
        (self.run_dir / "docker.sock").unlink(missing_ok=True)
        (self.run_dir / "dockerd.pid").unlink(missing_ok=True)
        environment, dockerd, options = _engine_environment(), find("dockerd") or "dockerd", []
        if self.release:
            folder = releases.engine_folder(self.release)
            environment["PATH"], dockerd = f"{folder}:{environment['PATH']}", str(folder / "dockerd")
        features = {**(releases.FEATURES if self.release else {}), **({} if self.buildkit else {"buildkit": False})}
        if features:
            (self.run_dir / "daemon.json").write_text(json.dumps({"features": features}))
            options = ["--config-file", str(self.run_dir / "daemon.json")]
        command = [
            "nsenter", f"--net={self.netns}", dockerd, *options,
            "--data-root", str(DATA / self.name), "--exec-root", str(self.run_dir / "exec"),
            "--pidfile", str(self.run_dir / "dockerd.pid"), "-H", self.docker_host,
            "--cgroup-parent", f"/komodo-rig-{self.name}",
            "--containerd-namespace", f"kr-{self.name}", "--containerd-plugins-namespace", f"kr-{self.name}-plugins",
        ]  # fmt: skip
        spawn(command, log=self.run_dir / "dockerd.log", env=environment)
        wait_for(self._engine_answers, 60, what=f"an answer of the engine of {self.name}")

    def _engine_answers(self) -> bool:
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(2)
            try:
                client.connect(str(self.run_dir / "docker.sock"))
                client.sendall(b"GET /_ping HTTP/1.0\r\n\r\n")
                return b"200 OK" in client.recv(200)
            except OSError:
                return False

    def stop_engine(self, sig: int = signal.SIGTERM) -> None:
        """Stop dockerd; SIGKILL leaves containers running, as a crash would."""
        if (self.run_dir / "dockerd.pid").exists():
            stop(self.pid("dockerd"), sig=sig, grace=30)
        # containerd dies with dockerd, but a moment later; a dockerd that finds it dying waits for it in vain
        containerd = self.run_dir / "exec/containerd/containerd.pid"
        if containerd.exists():
            stop(int(containerd.read_text()))
            containerd.unlink(missing_ok=True)

    def remove_containers(self) -> None:
        """Remove every container, starting the engine first if it is down: its shims would outlive it."""
        if not self._engine_answers():
            self.start_engine()
        containers = self.docker("ps", "-aq").split()
        if containers:
            self.docker("rm", "-fv", *containers, timeout=180)

    def start_sshd(self) -> None:
        """Start sshd inside the namespace, under the server's own host name."""
        command = ["nsenter", f"--net={self.netns}", "unshare", "--uts", "sh", "-c",
                   'hostname "$0"; exec "$1" -D -e -f "$2"', self.name, find("sshd") or "/usr/sbin/sshd",
                   str(self.run_dir / "sshd_config")]  # fmt: skip
        pid = spawn(command, log=self.run_dir / "sshd.log")
        (self.run_dir / "sshd.pid").write_text(str(pid))
        wait_for(self.sshd_answers, 15, what=f"an answer of the sshd of {self.name}")

    def sshd_answers(self) -> bool:
        """Whether a new connection is greeted."""
        try:
            with socket.create_connection((self.address, self.ssh_port), timeout=2) as client:
                return client.recv(4) == b"SSH-"
        except OSError:
            return False

    def stop_sshd(self) -> None:
        """End the listening sshd; sessions that are open go on."""
        stop(self.pid("sshd"))

    def drop(self, port: int, *, undo: bool = False) -> None:
        """Let packets to this TCP port vanish: an address that never answers."""
        change = "-D" if undo else "-I"
        run("nsenter", f"--net={self.netns}", find("iptables") or "iptables", change, "INPUT", "-p", "tcp",
            "--dport", str(port), "-j", "DROP")  # fmt: skip

    def sessions(self) -> list[int]:
        """Pids of the sshd processes that serve connections of this server."""
        return [p for p in children(self.pid("sshd")) if alive(p)]

    def signal(self, what: str, sig: int) -> None:
        """Send a signal to ``dockerd`` or to the whole sshd (listener and sessions)."""
        pids = [self.pid(what)]
        if what == "sshd":
            for session in self.sessions():
                pids += [session, *children(session)]
        for pid in pids:
            if alive(pid):
                os.kill(pid, sig)


def up(name: str, *, engine: bool = True, sshd: bool = True, release: str = "", buildkit: bool = True) -> Server:
    """Start a private server of this name (letters, digits and dashes, at most 24)."""
    run_dir = RUN / name
    run_dir.mkdir(parents=True, exist_ok=True, mode=0o755)
    (DATA / name).mkdir(parents=True, exist_ok=True)
    number = _claim(name)
    address = f"10.77.{number}.2"
    _namespace(name, number, address)
    _write_sshd_files(run_dir, name, address)
    server = Server(
        name=name, number=number, docker_host=f"unix://{run_dir}/docker.sock", address=address, ssh_port=22,
        user="root", key=str(run_dir / "id"), known_hosts=str(run_dir / "known_hosts"),
        ssh_config=str(run_dir / "ssh_config"), release=release,
        buildkit=buildkit,
    )  # fmt: skip
    (run_dir / "owner").write_text(str(os.getpid()))
    (run_dir / "server.json").write_text(json.dumps(asdict(server)))
    if engine:
        server.start_engine()
        images.load(server.docker_host)
    if sshd:
        server.start_sshd()
    return server


def load(name: str) -> Server:
    """The running server of this name."""
    return Server(**json.loads((RUN / name / "server.json").read_text()))


def owner_lives(name: str) -> bool:
    """Whether the process that started it (:mod:`.fixtures`) still runs."""
    owner = RUN / name / "owner"
    return owner.exists() and alive(int(owner.read_text()))


def down(name: str) -> None:
    """Stop what :func:`up` started and remove what it made."""
    run_dir = RUN / name
    if (run_dir / "server.json").exists():
        server = load(name)
        if (DATA / name / "containers").exists():
            server.remove_containers()
        server.stop_engine()
        if (run_dir / "sshd.pid").exists():
            for pid in [*server.sessions(), server.pid("sshd")]:
                stop(pid, sig=signal.SIGKILL)
        for pid in pids_in(server.netns):
            stop(pid, sig=signal.SIGKILL)
        outer = f"kr{(run_dir / 'number').read_text()}"
        if Path("/sys/class/net", outer).exists():
            run("ip", "link", "del", outer)  # with the namespace it would go too, but a moment after its number is free
        run("ip", "netns", "del", f"kr-{name}")
    for mount in _mounts_below(run_dir, DATA / name):
        run("umount", "-l", mount)
    shutil.rmtree(run_dir, ignore_errors=True)
    shutil.rmtree(DATA / name, ignore_errors=True)


def _claim(name: str) -> int:
    """A number no other private server has, kept while the server's folder stands."""
    with (RUN / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        mine = RUN / name / "number"
        if not mine.exists():
            taken = {int(path.read_text()) for path in RUN.glob("*/number")}
            mine.write_text(str(next(n for n in range(1, 250) if n not in taken)))
        return int(mine.read_text())


def _namespace(name: str, number: int, address: str) -> None:
    """A namespace joined to ours by one veth pair; its only addresses are the pair's."""
    if Path(f"/run/netns/kr-{name}").exists():
        return
    space, outer = f"kr-{name}", f"kr{number}"
    run("ip", "netns", "add", space)
    run("ip", "link", "add", outer, "type", "veth", "peer", "name", "eth0", "netns", space)
    run("ip", "addr", "add", f"10.77.{number}.1/30", "dev", outer)
    run("ip", "link", "set", outer, "up")
    for command in (
        ["addr", "add", f"{address}/30", "dev", "eth0"],
        ["link", "set", "eth0", "up"],
        ["link", "set", "lo", "up"],
        ["route", "add", "default", "via", f"10.77.{number}.1"],
    ):
        run("ip", "-n", space, *command)


def _write_sshd_files(run_dir: Path, name: str, address: str) -> None:
    if not (run_dir / "id").exists():
        for key in ("id", "host_ed25519"):
            run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(run_dir / key), "-C", name)
    public = (run_dir / "host_ed25519.pub").read_text().split()[:2]
    (run_dir / "known_hosts").write_text(f"{address} {' '.join(public)}\n")
    shutil.copy(run_dir / "id.pub", run_dir / "authorized_keys")
    Path("/run/sshd").mkdir(exist_ok=True)
    (run_dir / "sshd_config").write_text(
        f"""Port 22
ListenAddress {address}
HostKey {run_dir}/host_ed25519
AuthorizedKeysFile {run_dir}/authorized_keys
PidFile none
StrictModes no
UsePAM no
PermitRootLogin yes
PasswordAuthentication no
MaxSessions 100
MaxStartups 100
Subsystem sftp internal-sftp
SetEnv DOCKER_HOST=unix://{run_dir}/docker.sock DOCKER_CONFIG={CACHE}/config
"""
    )
    (run_dir / "ssh_config").write_text(
        f"""Host {name}
  HostName {address}
  User root
  IdentityFile {run_dir}/id
  IdentitiesOnly yes
  UserKnownHostsFile {run_dir}/known_hosts
  StrictHostKeyChecking yes
"""
    )


def _engine_environment() -> dict[str, str]:
    """An environment without the caller's Docker settings; temporary files beside the engine's data.

    Nor the XDG folders of a test: runc keeps sockets in them, and they end with the test.
    """
    keep = {k: v for k, v in os.environ.items() if not k.startswith(("DOCKER", "XDG_"))}
    return {**keep, "PATH": f"{keep.get('PATH', '')}:/usr/sbin:/sbin", "TMPDIR": tempfile.gettempdir()}


def _mounts_below(*folders: Path) -> list[str]:
    points = [line.split()[4] for line in Path("/proc/self/mountinfo").read_text().splitlines()]
    return sorted((p for p in points if any(p.startswith(f"{folder}/") for folder in folders)), reverse=True)
