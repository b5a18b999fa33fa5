"""The loops of ``watch`` that are about pushes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from komodo_tui.operations.pushes.gate import WebhookGate
from komodo_tui.operations.pushes.listener import WebhookListener
from komodo_tui.operations.pushes.poller import Poller
from komodo_tui.operations.pushes.worker import PushWorker
from komodo_tui.operations.repo_definitions import RepoDefinitions

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from typing import Any

    from komodo_tui.domain.servers import ServerDefinition
    from komodo_tui.domain.settings import Settings
    from komodo_tui.operations.procedures.parts import Runtime
    from komodo_tui.store.pushes import PushStore
    from komodo_tui.store.runs import RunStore


def push_loops(
    runtime: Runtime, settings: Callable[[], Settings], store: PushStore, runs: RunStore, say: Callable[[str], None]
) -> tuple[Coroutine[Any, Any, None], ...]:
    """Looking, listening and acting, each until cancelled. ``say`` is told what happens, one line each."""
    repos = RepoDefinitions(runtime.definitions).known
    worker, poller = _parts(runtime, store, runs, say)
    gate = WebhookGate(repos, runtime.values, store, worker.told)
    listener = WebhookListener(lambda: settings().webhooks, repos, gate, say)
    return worker.run(), poller.run(), listener.run()


async def pushes_once(runtime: Runtime, store: PushStore, runs: RunStore, say: Callable[[str], None]) -> None:
    """Look at every repo that is polled, and do what that set off, to its end. The fleet must have been started."""
    worker, poller = _parts(runtime, store, runs, say)
    await poller.once()
    await worker.once()


def _parts(runtime: Runtime, store: PushStore, runs: RunStore, say: Callable[[str], None]) -> tuple[PushWorker, Poller]:
    repos = RepoDefinitions(runtime.definitions).known

    def servers() -> dict[str, ServerDefinition]:
        return {name: live.definition for name, live in runtime.fleet.state.servers.items()}

    worker = PushWorker(store, repos, runtime, runs, say)
    return worker, Poller(runtime.fleet, repos, servers, runtime.values, store, worker.wake, say)
