"""The past: metrics and events kept on this machine's own disk, in rings that never outgrow their bounds.

:mod:`.codes` turns values into 16 bits, :mod:`.blocks` many of them into a checked piece of a file, :mod:`.shelf` keeps
the files of one resolution, :mod:`.tiers` fills the resolutions from one another, :mod:`.journal` keeps events, and
:mod:`.archive` is all of it behind one face.
"""
