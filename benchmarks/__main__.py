"""``python -m benchmarks [NAME…]``: measure the figures and print them (``make bench``)."""

from __future__ import annotations

import argparse
import importlib
import os
import sys
import time

NAMES = (
    "startup",
    "paint",
    "agent",
    "logs",
    "rotation",
    "table",
    "stacks",
    "terminal",
    "idle",
    "deploy",
    "builds",
    "repos",
    "ship",
    "procedure",
    "pushes",
    "deliveries",
    "slots",
    "kills",
    "past",
    "watch",
    "watch_fleet",
    "faults",
)


def main() -> int:
    """Run the chosen measurements, or all."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"one of {', '.join(NAMES)}")
    chosen = parser.parse_args().names or NAMES
    for name in chosen:
        if name not in NAMES:
            parser.error(f"{name} is not one of {', '.join(NAMES)}")
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")
    for name in chosen:
        start = time.monotonic()
        figures = importlib.import_module(f"benchmarks.{name}").measure()
        print(f"\n{name} ({time.monotonic() - start:.0f} s, load {os.getloadavg()[0]:.1f} at the end)")
        for what, value in figures.items():
            print(f"  {what:<60} {value:>14,.3f}" if isinstance(value, float) else f"  {what:<60} {value:>14}")
        sys.stdout.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main())
