"""Makes the packages beside this file importable as they are named."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
