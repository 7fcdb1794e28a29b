"""A hub made by `aphub init` in a folder of the test's own, a mail server beside it, and the command line."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from aphub.cli import main
from aphub.sandbox import DemoAuthority, SmtpSink

OFFICE, HEAD = "Robin, office", "Sam, head"


@dataclass
class CommandLine:
    """Types commands for one hub, and remembers all that came back."""

    home: Path
    said: list[str] = field(default_factory=list)

    def __call__(self, *words: str, gives: int | None = 0, types: str | None = None) -> Result:
        """Type a command; it must end with this exit status (None: with any)."""
        result = CliRunner().invoke(main, ["--home", str(self.home), *words], input=types)
        self.said.append(result.output)
        assert result.exception is None or isinstance(result.exception, SystemExit), result.output
        assert gives is None or result.exit_code == gives, result.output
        return result

    def change(self, name: str, *swaps: tuple[str, str]) -> None:
        """Change lines of a configuration file, as a person would."""
        path = self.home / "config" / name
        text = path.read_text()
        for line, instead in swaps:
            assert text.count(line) == 1, f"{name} has no single {line!r}"
            text = text.replace(line, instead)
        path.write_text(text)


@pytest.fixture
def aphub(tmp_path: Path) -> CommandLine:
    """Make a hub with its starter configuration, open on every day of the year."""
    line = CommandLine(tmp_path / "my-hub")
    line("init", "--recovery-key-file", str(tmp_path / "recovery-key"))
    line.change(
        "providers/riverbank.toml", ('prefix = "RB" ', 'works_on_bank_holidays = true\nprefix = "RB" ')
    )
    return line


@pytest.fixture
def post(tmp_path: Path) -> Iterator[SmtpSink]:
    """Run the mail server of the first hour."""
    with SmtpSink(DemoAuthority.open_or_create(tmp_path / "authority"), tmp_path / "mail") as sink:
        yield sink


@pytest.fixture
def applied(aphub: CommandLine, post: SmtpSink, tmp_path: Path) -> CommandLine:
    """Publish the starter configuration, with the mail server that runs."""
    ca_file = f'ca_file = "{aphub.home.absolute()}/sandbox/authority/ca.pem"'
    aphub.change(
        "providers/riverbank.toml",
        ("port = 2525\n", f"port = {post.address[1]}\n"),
        (ca_file, f'ca_file = "{tmp_path}/authority/ca.pem"'),
    )
    aphub("apply", "--yes")
    return aphub


@pytest.fixture
def code_in(post: SmtpSink) -> Callable[[], str]:
    """Be the school: read the six figures in the newest TEST message."""

    def read() -> str:
        body = message_from_bytes(post.received[-1].raw, policy=policy.default).get_body(("plain",))
        assert body is not None
        found = re.search(r"by phone: (\d{6})", body.get_content())
        assert found
        return found.group(1)

    return read


@pytest.fixture
def live(applied: CommandLine, code_in: Callable[[], str]) -> CommandLine:
    """Go the whole way to a live channel."""
    applied("check", "hill-school", "office")
    applied("test-report", "hill-school", "office", "--by", OFFICE)
    applied("read-back", "hill-school", "office", code_in(), "--by", OFFICE)
    applied("approve", "hill-school", "office", "--by", HEAD)
    return applied


@pytest.fixture
def told(live: CommandLine) -> CommandLine:
    """Take the example files in and tell the school; late in the day a routine report may wait for a person."""
    live("import", str(live.home / "examples" / "people.csv"), "--yes")
    live("ingest", str(live.home / "examples" / "register.csv"))
    live("run", "--once")
    return live
