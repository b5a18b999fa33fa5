"""Coroutines handed to Textual's workers: one that is cancelled before it begins is closed."""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from textual.dom import DOMNode
    from textual.worker import Worker


def begin(
    node: DOMNode,
    coroutine: Coroutine[Any, Any, None],
    *also: Coroutine[Any, Any, None],
    group: str,
    exclusive: bool = False,
) -> Worker[None]:
    """Run a coroutine as a task of a node; an error that it raises ends the program.

    A worker begins in the next turn of the loop. Where the node, or the program, goes before that, nobody awaits the
    coroutine, and Python would complain of it.

    Args:
        also: coroutines that the first one awaits.
        group, exclusive: an exclusive one ends those of the node that run in the same group.
    """
    worker = node.run_worker(coroutine, group=group, exclusive=exclusive, exit_on_error=True)
    for one in (coroutine, *also):
        weakref.finalize(worker, one.close).atexit = False
    return worker
