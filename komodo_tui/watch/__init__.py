"""What runs by itself: schedules, pushes, syncs, alerts and their messages. ``komodo-tui watch`` runs it, and the
program on the screen while it is open and told to; one process of a state directory at a time."""
