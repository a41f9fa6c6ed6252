from __future__ import annotations

import subprocess
import sys
from pathlib import Path

GENERATE = Path(__file__).parents[2] / "docs" / "generate.py"


def test_the_configuration_reference_is_what_the_schemas_say_and_the_drawings_what_the_boards_are():
    done = subprocess.run([sys.executable, str(GENERATE), "--check"], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, f"run: python docs/generate.py\n{done.stderr}"
