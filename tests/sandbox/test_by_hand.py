import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from aphub.sandbox import main


@pytest.mark.parametrize(
    ("kind", "ending"),
    [
        ("arbor", signal.SIGTERM),
        ("graph", signal.SIGTERM),
        ("rest", signal.SIGTERM),
        ("sftp", signal.SIGTERM),
        ("smtp", signal.SIGINT),
        ("wonde", signal.SIGINT),
        ("xporter", signal.SIGINT),
    ],
)
def test_a_far_side_starts_by_hand_says_how_to_reach_it_and_stops(
    kind: str, ending: signal.Signals, tmp_path: Path
):
    command = [sys.executable, "-W", "error", "-m", "aphub.sandbox", kind, "--to", str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as running:
        assert running.stdout is not None
        lines = []
        for line in running.stdout:
            lines.append(line)
            if line.startswith("Stop it"):
                break
        running.send_signal(ending)
        _, errors = running.communicate(timeout=10)
    said = "".join(lines)
    assert running.returncode == 0, errors
    assert errors == ""
    assert "not yet run against the vendor" in said
    assert re.search(r"127\.0\.0\.1, port \d+", said)


def test_a_mood_that_a_far_side_does_not_have_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    assert main(["smtp", "--to", str(tmp_path), "--mood", "half-fails"]) == 2
    assert "no mood 'half-fails'" in capsys.readouterr().out


def test_a_key_that_cannot_be_read_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    assert main(["sftp", "--to", str(tmp_path), "--authorized-key", str(tmp_path / "missing")]) == 2
    assert "could not start" in capsys.readouterr().out
