"""The terminal pane: a shell inside the program.

``core`` is the interface of an emulator core (what a program wrote in, what to draw out); ``ghostty`` and
``bittty_core`` implement it; ``worker`` runs it in a process of its own that ``host`` starts, watches and replaces.
``terminal`` joins a core with a :class:`~komodo_tui.fleet.sessions.ByteSession`, ``widget`` shows one, ``manager``
holds all that are open.

Import the modules, not this package: it stays empty so that the worker process loads neither Textual nor Rich.
"""
