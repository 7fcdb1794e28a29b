"""The one folder in which a played day lies, and the copy of the example configuration that it works with."""

import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import as_file, files
from pathlib import Path

from aphub.domain.errors import AphubError

DEFAULT = Path("var/demo")
MARK = "demo.json"
NOTE = "Made by aphub demo: invented pupils only. Safe to delete."
_TEXT_ENDS = '"""'
PARTS = ("config", "drop", "evidence", "inbox", "keys", "mail", "mis", "papers", "people", "share")


class NotADemoError(AphubError):
    """A folder holds something that a played day did not make, so it is left alone."""


@dataclass(frozen=True, slots=True)
class Folder:
    """Where each thing of a played day lies."""

    home: Path

    @property
    def mail(self) -> Path:
        """The Maildir of every school's and council's mail server."""
        return self.home / "mail"

    @property
    def drop(self) -> Path:
        """The secure folders of schools and councils."""
        return self.home / "drop"

    @property
    def share(self) -> Path:
        """The folder that a trust shares with us, as if it were mounted here."""
        return self.home / "share"

    @property
    def mis(self) -> Path:
        """What schools' own registers hold, as JSON."""
        return self.home / "mis"

    @property
    def keys(self) -> Path:
        """The master key, the key store, and the keys of the far sides."""
        return self.home / "keys"

    @property
    def evidence(self) -> Path:
        """The bundles that anyone can check without us."""
        return self.home / "evidence"

    @property
    def papers(self) -> Path:
        """What people printed or kept: a sheet, a letter, summaries, a paper for an audit."""
        return self.home / "papers"

    @property
    def people(self) -> Path:
        """The files from which pupils and placements were imported."""
        return self.home / "people"

    def inbox(self, provider: str) -> Path:
        """Where a provider's office puts its registers."""
        return self.home / "inbox" / provider

    @property
    def is_finished(self) -> bool:
        """Whether a whole day was played here."""
        return self._mark().get("state") == "finished"

    def begin(self, *, again: bool) -> bool:
        """Make room for a new day; give False when a finished one lies here and stays.

        Raises:
            NotADemoError: Something lies here that no played day made.
        """
        if self.home.exists() and any(self.home.iterdir()):
            if not self._mark():
                raise NotADemoError(
                    f"The folder {self.home} holds something that is not ours.",
                    "Nothing was changed.",
                    "Choose another one: aphub demo --to DIR",
                )
            if self.is_finished and not again:
                return False
            self._clear()
        self.home.mkdir(parents=True, exist_ok=True)
        self._say("playing")
        for part in PARTS:
            (self.home / part).mkdir(mode=0o700, exist_ok=True)
        return True

    def finish(self) -> None:
        """Note that the day was played to its end."""
        self._say("finished")

    def write_config(self, filled: Mapping[str, Mapping[str, str]]) -> None:
        """Copy the example configuration, with lines of a file replaced where this run needs other ones.

        `filled` gives for each file (without its ending) a line of the example and what stands in its place; a line that
        opens a text of several lines stands for all of it.
        """
        with as_file(files("aphub.demo") / "config") as example:
            for source in sorted(example.rglob("*.toml")):
                name = source.relative_to(example)
                text = source.read_text(encoding="utf-8")
                for line, instead in filled.get(name.with_suffix("").as_posix(), {}).items():
                    if text.count(f"\n{line}\n") != 1:
                        message = f"the example {name} has no single line {line!r}"
                        raise LookupError(message)
                    before, _, after = text.partition(f"\n{line}\n")
                    after = after.partition(f"\n{_TEXT_ENDS}\n")[2] if line.endswith(_TEXT_ENDS) else after
                    text = f"{before}\n{instead}\n{after}"
                target = self.home / name if name.name == "hub.toml" else self.home / "config" / name
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_text(text, encoding="utf-8")

    def _mark(self) -> dict[str, str]:
        try:
            found = json.loads((self.home / MARK).read_text(encoding="utf-8"))
        except (FileNotFoundError, ValueError):
            return {}
        return found if isinstance(found, dict) and found.get("note") == NOTE else {}

    def _say(self, state: str) -> None:
        (self.home / MARK).write_text(
            json.dumps({"note": NOTE, "state": state}, indent=2) + "\n", encoding="utf-8"
        )

    def _clear(self) -> None:
        """Remove what an earlier day made, by name, and nothing else."""
        for part in PARTS:
            shutil.rmtree(self.home / part, ignore_errors=True)
        for path in (*self.home.glob("hub.db*"), self.home / "hub.toml", self.home / "daemon.lock"):
            path.unlink(missing_ok=True)
