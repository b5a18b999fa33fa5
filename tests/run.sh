#!/bin/sh
# The whole suite. Brings the Debian packages that the rig needs where root and apt are at hand;
# elsewhere the rig's tests are skipped with their reason (and fail under CI=true).
set -eu
cd "$(dirname "$0")/.."
PYTHON=${PYTHON:-.venv/bin/python}
"$PYTHON" -m tests.rig prepare
exec "$PYTHON" -m pytest -q -n 2 --dist loadfile -rs "$@"
