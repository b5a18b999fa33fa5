"""What happened around a time: :mod:`.open` is how pages ask for it, :mod:`.rows` and :mod:`.figures` how it looks."""
