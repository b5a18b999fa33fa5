"""Syncs: :mod:`.reading` gets the files, :mod:`.looking` tells what differs, :mod:`.applying` makes it so."""
