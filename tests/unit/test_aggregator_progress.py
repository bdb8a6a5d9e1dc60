"""The watchdog ends a worker that hangs, and lets a declared wait pass."""

import subprocess
import sys

import pytest

from services.aggregator.progress import STALLED

SCRIPT = """
import time
from services.aggregator.progress import Progress, watch
progress = Progress()
watch(progress, 0.4)
{body}
"""


@pytest.mark.parametrize(
    ("body", "code"),
    [
        pytest.param("time.sleep(20)", STALLED, id="hangs"),
        pytest.param("with progress.waiting(): time.sleep(1.5)", 0, id="waits"),
        pytest.param(
            "for _ in range(100):\n    with progress.waiting(): time.sleep(0.05)\n    time.sleep(0.1)",
            STALLED,
            id="waits again and again and does nothing else",
        ),
        pytest.param("progress.pause(1.5); time.sleep(1.5)", 0, id="pauses"),
        pytest.param("progress.pause(0.2); time.sleep(20)", STALLED, id="hangs in a pause"),
        pytest.param(
            "import threading\ndef wait():\n    with progress.waiting(): time.sleep(1)\n"
            "threading.Thread(target=wait, daemon=True).start()\ntime.sleep(20)",
            STALLED,
            id="hangs while another thread waits for a while",
        ),
        pytest.param("for _ in range(15): time.sleep(0.1); progress.beat()", 0, id="works"),
    ],
)
def test_watchdog(body, code):
    """Without progress outside a declared wait the process ends with its own code."""
    ended = subprocess.run([sys.executable, "-c", SCRIPT.format(body=body)], timeout=30, check=False)

    assert ended.returncode == code
