import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from aphub.sandbox import (
    ArborStandIn,
    DemoAuthority,
    ExampleMisStandIn,
    GraphStandIn,
    MisState,
    SftpSink,
    SmtpSink,
    WondeStandIn,
    XporterStandIn,
    main,
)
from aphub.sandbox.moods import MOODS, put_into
from tests.house.project import ROOT

KINDS = {
    "arbor": ArborStandIn,
    "graph": GraphStandIn,
    "rest": ExampleMisStandIn,
    "sftp": SftpSink,
    "smtp": SmtpSink,
    "wonde": WondeStandIn,
    "xporter": XporterStandIn,
}


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


def test_a_mood_that_a_far_side_does_not_have_lists_those_that_it_has(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    assert main(["smtp", "--to", str(tmp_path), "--mood", "half-fails"]) == 2
    said = capsys.readouterr().out
    assert "no mood 'half-fails'" in said
    assert "offers no encryption" in said
    assert "calls-never" not in said


def test_the_manual_says_what_each_mood_does_and_who_has_it():
    chapter = (ROOT / "docs/how-to.md").read_text().partition("## Try a bad day")[2].partition("\n## ")[0]
    told = re.findall(r"^\| `([a-z0-9-]+)` \| (.+) \| (.+) \|$", chapter, re.MULTILINE)
    have = {
        name: [kind for kind, one in KINDS.items() if hasattr(one, mood.method)]
        for name, mood in MOODS.items()
    }
    assert told == [
        (name, mood.words, "all" if len(have[name]) == len(KINDS) else ", ".join(have[name]))
        for name, mood in MOODS.items()
    ]
    assert all(have.values())


@pytest.mark.parametrize(
    ("mood", "how"),
    [("calls-forged", "forged"), ("calls-lying", "lies"), ("calls-never", "never"), ("calls-twice", "twice")],
)
def test_a_school_that_calls_back_can_be_put_into_each_manner_of_it(mood: str, how: str, tmp_path: Path):
    state = MisState()
    school = state.add_school("Hill School", urn="999001")
    authority = DemoAuthority.create(tmp_path)
    system = XporterStandIn(authority, state, school, estab="9994001", relying_party="x", secret="y")
    assert put_into(system, mood)
    assert [name for name, value in vars(system.calls).items() if value is True] == [how]


def test_a_key_that_cannot_be_read_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    assert main(["sftp", "--to", str(tmp_path), "--authorized-key", str(tmp_path / "missing")]) == 2
    assert "could not start" in capsys.readouterr().out
