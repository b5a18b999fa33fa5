"""Private Docker servers for the tests: a network namespace, a dockerd and an sshd each, all started and stopped here.

Nothing in here touches an engine, an sshd or a key that it did not make. Everything lives below
``/run/komodo-rig/NAME`` and ``/var/tmp/komodo-rig/NAME`` and is stopped by the pids written there.
"""
