"""``python -m komodo_tui``."""

import sys

from komodo_tui.cli import main

sys.exit(main())
