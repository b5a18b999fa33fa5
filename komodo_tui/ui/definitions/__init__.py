"""The common base of the pages of definitions (Stacks, Repos…): a list joined with live state, and one from near.

A page of a new kind, say builds, is made like this; ``ui/repos`` with ``ui/pages/repos.py`` is the smallest example:

1. Domain and store: ``BuildDefinition``, ``DefineBuildOperation`` (verb, name, definition, rev); a field ``builds`` of
   :class:`~komodo_tui.store.fleet_files.FleetFile`; ``BuildDefinitions(KeptDefinitions)`` with ``KIND`` and ``TYPE``
   in ``operations`` (known, find, stored, change come with it).
2. ``ui/builds/book.py``: what the page knows. ``BuildRow(definition, …live state)`` and a book with ``look()`` and
   ``tick(changes)``: :class:`.asking.Reading` reads definitions in a thread, :class:`.asking.Answers` puts one question
   to the agents of many servers; both call back when there is news, and nobody waits.
3. ``ui/builds/columns.py``: ``build_columns()`` and ``build_filter()``, pure.
4. ``ui/builds/editing.py``: ``BuildEditing(Editing)`` says where definitions are kept (``kept``), how one is written
   (``text``, by :func:`.text.definition_text`), read and checked (``editor``, a ``YamlEditor`` whose check begins with
   :func:`.text.read_one`), changed (``operation``) and begun (``beginning``). New, edit with ``$EDITOR``, copy and
   forget, with the conflict when another changed it meanwhile, are there then.
5. ``ui/builds/detail.py``: ``BuildDetail(DefinitionDetail)``: ``table`` and ``pane`` (what came of it), ``more`` (what
   is read of its row under the cursor), ``text`` in ``compose``; ``show_row`` (called at each tick: write only what
   differs), ``restyle``.
6. ``ui/pages/builds.py``: ``BuildsPage(DefinitionPage["BuildRow"])``: NOUN, ABOUT, CHANGING, BINDINGS (the acts of its
   kind, with ids, then ``*keys_of("build")``), and in ``__init__`` columns and filter for the base, book
   (``changed=self.told``), editing, detail; ``rows()``; the acts, each as ``self.then(coroutine)``, which looks again
   after it; ``menu()`` where the acts that have a key are not all; ``own_commands()`` for the palette. The list, Enter,
   Esc, N, e, m, y, X, copy, read-only mode, reveal by name and themes are the base's. Its tab is a
   ``PageSpec.target`` in ``ui/pages/__init__``.
7. A page that has the list and one row from near but no definitions (Deployments) stands on
   :class:`.levels.ListAndDetail`.
"""
