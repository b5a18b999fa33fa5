"""Definitions made of what other programs keep: those of Komodo (:mod:`.komodo`) and of Dockge (:mod:`.dockge`).

Nothing is guessed quietly: what has no match is a note, and a definition that could not be used is left out, with why.
"""
