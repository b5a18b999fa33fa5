"""msgspec works out what it knows of a struct when that is used first, and two threads that do so at once crash it.

Version 0.22 puts the unfinished result where the other thread finds it (``StructInfo_Convert`` in its ``_core.c``),
which ends the process with a segmentation fault. So whatever may work out a struct is done by one thread at a time.
What is worked out already costs a lock that is free.
"""

from __future__ import annotations

import threading
from functools import wraps
from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from collections.abc import Callable

_LOCK = threading.RLock()
_DONE = "_komodo_guarded"


def guard_msgspec() -> None:
    """Guard ``convert``, ``json.decode``, ``msgpack.decode`` and the making of decoders; a second call does nothing."""
    module: Any = msgspec
    if hasattr(module, _DONE):
        return
    setattr(module, _DONE, True)
    module.convert = _alone(module.convert)
    for protocol in (module.json, module.msgpack):
        protocol.decode = _alone(protocol.decode)
        protocol.Decoder = _maker(protocol.Decoder)


def _alone(function: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(function)
    def guarded(*given: Any, **named: Any) -> Any:
        with _LOCK:
            return function(*given, **named)

    return guarded


def _maker(kind: type) -> type:
    """Stands for a class that cannot be subclassed: makes its objects, one thread at a time."""

    class Decoder:
        def __new__(cls, *given: Any, **named: Any) -> Any:
            with _LOCK:
                return kind(*given, **named)

        def __class_getitem__(cls, item: Any) -> Any:
            return kind[item]  # type: ignore[index]

    Decoder.__doc__ = kind.__doc__
    return Decoder
