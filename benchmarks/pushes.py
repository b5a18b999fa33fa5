"""From a push to the deploy; deliveries of webhooks, half of them copies; what looking at many repos costs."""

from __future__ import annotations

import asyncio
import hashlib
import json
import statistics
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.lab import private_server
from benchmarks.measure import cpu_seconds
from komodo_agent.repos.connections import KEPT
from tests.integration.agent.lab import agent_process
from tests.integration.pushes.lab import SITE, Watching
from tests.rig import compose
from tests.unit.pushes.test_listener import SECRET, Service, signed
from tests.unit.repos.lab import Author, git

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.rig.server import Server

ROUNDS = 6
FILES = ("www/index.html",)
POLL = 5.0
DELIVERIES = 10_000
REPOS, SERVERS = 100, 5
EVERY = 60.0
"""Seconds between looks at one of many repos."""
WINDOW = 60.0
STACK = {"name": "shop", "servers": ["web"], "git": {"repo": "shop"}, "health": {"window": 15, "steady": 0.1}}


def measure() -> dict[str, float]:
    """Seconds, medians and maxima; percent of a core."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="pushes")))
        server = stack.enter_context(private_server("pushes"))
        figures = _latency(folder / "one", server)
        figures |= asyncio.run(_deliveries(folder))
        figures |= _many(folder / "many", server)
    return figures


def _latency(folder: Path, server: Server) -> dict[str, float]:
    folder.mkdir()
    environment = {"DOCKER_CONFIG": str(compose.config_folder()), "KOMODO_AGENT_REPO_ROOTS": str(folder)}
    author = Author(folder)
    figures: dict[str, float] = {}
    with agent_process(folder / "web", server.docker_host, environment=environment):
        for words, pulls, paths, files in (
            ("webhook", False, (), FILES), ("webhook, repo cloned there too", True, (), FILES),
            ("webhook, cloned there, filtered by path", True, ("www/**",), FILES),
            ("webhook, filtered by path, no files named", True, ("www/**",), ()),
        ):  # fmt: skip
            watching = Watching(folder, server, server, author)
            try:
                _push(author, "first")
                watching.secret()
                watching.define(
                    STACK, poll="", servers=["web"] if pulls else [], on_push=[{"deploy": "shop", "paths": paths}]
                )
                watching("deploy", "shop", "--yes")
                watching.start()
                figures |= _rounds(watching, author, words, files)
                if not pulls:
                    watching.define(STACK, poll=f"{POLL:g}s")
                    time.sleep(12)  # the first look is over
                    figures |= _rounds(watching, author, f"poll every {POLL:g} s", (), poll=True)
            finally:
                watching.stop()
                (folder / "watch.log").unlink(missing_ok=True)
    return figures


def _rounds(
    watching: Watching, author: Author, words: str, files: Sequence[str], *, poll: bool = False
) -> dict[str, float]:
    """A minute of quiet comes before the last one, after which no connection to the repository is kept any more."""
    begun, deployed = [], []
    for number in range(ROUNDS):
        cold = not files and not poll and number == ROUNDS - 1
        time.sleep(KEPT + 2 if cold else number * 0.7 if poll else 0.5)  # other moments of the interval
        text = f"{words} {number}"
        commit = _push(author, text)
        start = time.time()
        if not poll:
            assert watching.hook(commit, files=files) == 202
        watching.until_page(text)
        watching.until_said("push to shop: done", number + 1 + (ROUNDS if poll else 0))
        (push, *_) = json.loads(watching("repo", "pushes", "shop", "--json"))["pushes"]
        begun.append(push["started"] - start)
        acts = [json.loads(line) for line in watching("actions", "--json").splitlines()]
        deployed.append(
            min(act["started"] for act in acts if "deploy" in act["act"] and act["started"] > start) - start
        )
    return {
        f"{words}: to the run, median": statistics.median(begun),
        f"{words}: to the run, worst": max(begun),
        f"{words}: to the deploy, median": statistics.median(deployed),
        f"{words}: to the deploy, worst": max(deployed),
        f"{words}: to the deploy, last": deployed[-1],
    }


def _push(author: Author, text: str) -> str:
    (author.work / "www").mkdir(exist_ok=True)
    return author.push(text, **{"compose.yaml": SITE, "www/index.html": f"{text}\n"})


async def _deliveries(folder: Path) -> dict[str, float]:
    """Half of them copies, from forty senders at once."""
    from komodo_tui.store.pushes import PushStore

    store = PushStore(folder / "deliveries.db")
    service = Service(store, rate=1_000_000)
    task = asyncio.create_task(service.listener.run())
    while not service.listener.port:
        await asyncio.sleep(0.01)
    bodies = [_body(number % (DELIVERIES // 2)) for number in range(DELIVERIES)]
    start, cpu = time.perf_counter(), time.process_time()
    turns = asyncio.Semaphore(40)

    async def one(number: int) -> int:
        async with turns:
            name = f"id{number % (DELIVERIES // 2)}"
            return await service.post("shop", bodies[number], signed(bodies[number], SECRET, name))

    answers = await asyncio.gather(*(one(number) for number in range(DELIVERIES)))
    seconds = time.perf_counter() - start
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    counted = sum(push.count for push in store.recent("shop", 1000))
    store.close()
    return {
        "deliveries: taken (of 10,000, half copies)": float(answers.count(202)),
        "deliveries: copies": float(answers.count(200)),
        "deliveries: counted into pushes": float(counted),
        "deliveries: a second": DELIVERIES / seconds,
        "deliveries: ms of processor each, sender included": (time.process_time() - cpu) / DELIVERIES * 1000,
    }


def _body(number: int) -> bytes:
    plain = {"ref": "refs/heads/main", "after": hashlib.sha1(str(number).encode()).hexdigest(), "commits": []}
    return json.dumps(plain).encode()


def _many(folder: Path, server: Server) -> dict[str, float]:
    """A watch of 5 servers, without and with 100 repos that each is cloned on all of them."""
    folder.mkdir()
    author = Author(folder)
    with ExitStack() as stack:
        names = [f"s{number}" for number in range(SERVERS)]
        for name in names:
            environment = {"KOMODO_AGENT_REPO_ROOTS": str(folder)}
            stack.enter_context(agent_process(folder / name, server.docker_host, environment=environment))
        copies = [folder / f"r{number}.git" for number in range(REPOS)]
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(lambda copy: git(folder, "clone", "-q", "--bare", str(author.bare), str(copy)), copies))
        watching = Watching(folder, server, server, author)
        figures = {}
        for what, every in (("without", 0.0), ("with", EVERY)):
            repos = [{"name": c.stem, "url": f"file://{c}", "servers": names, "poll": f"{every:g}s" if every else ""}
                     for c in copies]  # fmt: skip
            _define(watching, folder, names, repos)
            watching.repo["webhook"] = ""
            watching.start()
            time.sleep(15)  # connected, and the first looks over
            figures[what] = _core(watching)
            branches = json.loads(watching("repo", "pushes", "--json"))["branches"]
            assert sum(not branch["problem"] for branch in branches) == (REPOS if every else 0), branches
            watching.stop()
            (folder / "watch.log").unlink()
    return {
        f"watch of {SERVERS} servers, % of a core": figures["without"],
        f"{REPOS} repos on {SERVERS} servers looked at every {EVERY:g} s, % of a core more": (
            figures["with"] - figures["without"]
        ),
    }  # fmt: skip


def _define(watching: Watching, folder: Path, names: list[str], repos: list[dict[str, Any]]) -> None:
    servers = [{"name": name, "address": watching.web.name, "agent_socket": str(folder / name / "agent.sock")}
               for name in names]  # fmt: skip
    path = folder / "many.yaml"
    path.write_text(json.dumps({"servers": servers, "repos": repos}))
    watching("apply", "-f", str(path), "--yes")


def _core(watching: Watching) -> float:
    pid = watching.pid
    before = cpu_seconds([pid])
    time.sleep(WINDOW)
    return (cpu_seconds([pid]) - before) / WINDOW * 100


if __name__ == "__main__":
    for what, value in measure().items():
        print(f"{what:<80} {value:10.3f}")
    sys.exit(0)
