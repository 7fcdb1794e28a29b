"""The configuration of a small world, written as an operator writes it."""

import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

HUB = 'log_level = "error"\nprivate_networks = ["127.0.0.0/8", "::1/128"]\n'
"""The hub's own settings: the far sides of tests listen on this machine, which no hub talks to unless it is listed."""

PROVIDER = """
name = "Riverbank AP"
prefix = "RB"
phone = "01632 960000"
hours = "8:30am to 3:30pm"
reply_to = "office@riverbank.example.org"
safeguarding = {name = "Ada Example", role = "safeguarding lead"}
"""


@dataclass(frozen=True)
class School:
    """A school's slug and its channels in order, each with adapter and far side."""

    slug: str = "hill-school"
    channels: tuple[tuple[str, str, str], ...] = (("email", "told", "far"),)
    extra: str = ""


def write_config(
    home: Path, schools: Iterable[School], agreements: dict[str, str], provider: str = PROVIDER
) -> None:
    """Write a `config/` folder; a connection is made for every adapter and far side that is named."""
    folder = home / "config"
    schools = list(schools)
    for part in ("schools", "agreements", "providers"):
        shutil.rmtree(folder / part, ignore_errors=True)
        (folder / part).mkdir(parents=True)
    connections = {
        f"{adapter}-{far}": f'adapter = "{adapter}"\nfar = "{far}"\n'
        for school in schools
        for _, adapter, far in school.channels
    }
    body = provider + "".join(f"[connections.{name}]\n{text}" for name, text in connections.items())
    (folder / "providers" / "riverbank.toml").write_text(body)
    for number, school in enumerate(schools):
        text = (
            f'name = "{school.slug.replace("-", " ").title()}"\nurn = "{999001 + number}"\n{school.extra}\n'
        )
        for name, adapter, far in school.channels:
            text += f'[[channels]]\nname = "{name}"\nconnection = "{adapter}-{far}"\n'
            text += f'address = "attendance@{school.slug}.example.org"\n'
            text += f'protection = "{far}"\n' if far in {"ended", "grid"} else ""
        (folder / "schools" / f"{school.slug}.toml").write_text(text)
    for slug, text in agreements.items():
        (folder / "agreements" / f"{slug}.toml").write_text(
            text if "[[versions]]" in text else f"from = 2025-09-01\n{text}\n"
        )
