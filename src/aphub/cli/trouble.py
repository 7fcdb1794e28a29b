"""What stopped a verb, in short lines: what happened, what we did, what to do. Never a traceback, never a value."""

import os
import traceback
from pathlib import Path

import click

from aphub.api.errors import DeliveryError
from aphub.cli.ground import NEEDS_A_PERSON, USED_WRONGLY
from aphub.domain.errors import AphubError, NeedsCorrectionError
from aphub.hub import NoHubError, SimulatedStoreError
from aphub.sealing import SealingError
from aphub.services.evidence import NothingToShowError
from aphub.services.intake import FeedMissingError
from aphub.services.life import UnknownReferenceError
from aphub.settings.load import ConfigurationError
from aphub.store.trouble import ground_trouble

_TYPED_WRONGLY = (
    ConfigurationError,
    FeedMissingError,
    NeedsCorrectionError,
    NoHubError,
    NothingToShowError,
    SimulatedStoreError,
    UnknownReferenceError,
)


def say_trouble(exc: Exception) -> int:
    """Say on standard error what stopped a verb; give the exit status."""
    for line in lines_of(exc):
        click.echo(line, err=True)
    return status_of(exc)


def status_of(exc: Exception) -> int:
    """Give 2 where something must be typed or configured otherwise, 1 where a person must do something first."""
    if isinstance(exc, _TYPED_WRONGLY) or type(exc) is AphubError:
        return USED_WRONGLY
    return NEEDS_A_PERSON


def lines_of(exc: Exception) -> list[str]:
    """Give the lines for one error."""
    if isinstance(exc, ConfigurationError):
        return [exc.what, exc.done, *(f"  {problem}" for problem in exc.problems)]
    if isinstance(exc, AphubError):
        return [sentence(part) for part in (exc.what, exc.done, exc.mend) if part]
    if isinstance(exc, DeliveryError):
        return [sentence(part) for part in (str(exc), exc.what_now) if part]
    if isinstance(exc, SealingError):
        return [sentence(str(exc))]
    if (trouble := ground_trouble(exc)) is not None:
        return lines_of(trouble)
    if isinstance(exc, OSError) and exc.strerror:
        return [sentence(f"We cannot use {exc.filename}: {exc.strerror}" if exc.filename else exc.strerror)]
    return [
        f"Something went wrong that we did not expect: {type(exc).__name__} at {_where(exc)}.",
        "What was not finished was undone.",
        "Please report this line to whoever looks after aphub.",
    ]


def sentence(text: str) -> str:
    """End a sentence, unless it ends itself or is a command to type."""
    text = text.strip()
    typed = text.rpartition(": ")[2]
    return text if text.endswith((".", "!", "?", ":", ")")) or typed.startswith("aphub ") else f"{text}."


def _where(exc: Exception) -> str:
    """Name the last place in our own code: a number for engineers that holds nobody's data."""
    ours = [
        frame
        for frame in traceback.extract_tb(exc.__traceback__)
        if f"{os.sep}aphub" in frame.filename and "site-packages" not in frame.filename
    ]
    frame = ours[-1] if ours else traceback.extract_tb(exc.__traceback__)[-1]
    return f"{Path(frame.filename).name}:{frame.lineno}"
