"""What every test may use."""

from __future__ import annotations

import sys
from pathlib import Path

# Helpers of the tests are modules beside this file; with --import-mode=importlib pytest does not look there
# itself.
sys.path.insert(0, str(Path(__file__).parent))
