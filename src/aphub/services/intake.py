"""Take registers in: the original first, sealed; then its rows in batches; then a count in which none is lost."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from sqlalchemy import Row

from aphub.api.sheets import media_type
from aphub.api.sources import Source, SourceBatch, SourceRefusedError, SourceRow
from aphub.domain.calendar import LONDON
from aphub.domain.errors import AphubError
from aphub.domain.narrative import tells_too_much
from aphub.domain.wording import moment_words
from aphub.logs import get_logger
from aphub.services import feed_trouble
from aphub.services.desk import Desk, place_of
from aphub.services.intake_report import MOST_SHOWN, IntakeResult, report_words
from aphub.services.intake_rows import ORIGINAL, question_words, take_rows
from aphub.services.judging import ENTERED, QUESTIONED, UNCHANGED
from aphub.services.recording import Statement, record
from aphub.settings.load import SECRET
from aphub.store import intakes
from aphub.store.engine import allocate

__all__ = [
    "FeedMissingError",
    "IntakeResult",
    "open_original",
    "source_of",
    "take_in",
    "take_in_all",
    "take_in_file",
]

log = get_logger("intake")


class FeedMissingError(AphubError):
    """There is no such feed."""


def source_of(desk: Desk, feed: str) -> Source[Any]:
    """Build a feed's source.

    Raises:
        FeedMissingError: The provider has no such feed, or its source is not installed.
    """
    config = desk.config.provider.feeds.get(feed)
    kind = desk.plugins.sources.get(config.source) if config else None
    if config is None or kind is None:
        names = ", ".join(desk.config.provider.feeds) or "none"
        what = f"'{feed}' is no feed of {desk.slug}, or its source is not installed."
        raise FeedMissingError(what, "Nothing was taken.", f"The feeds there are: {names}.")
    settings = {key: _resolved(desk, value) for key, value in config.settings().items()}
    return kind(kind.settings_class(**settings), desk.home)


def take_in_all(desk: Desk) -> list[IntakeResult]:
    """Take in whatever waits at every feed; one feed's trouble never holds another's registers up, and a person hears of it."""
    results: list[IntakeResult] = []
    troubles: dict[str, str] = {}
    for feed in desk.config.provider.feeds:
        try:
            source = source_of(desk, feed)
            results += [take_in(desk, feed, source, batch) for batch in source.waiting()]
        except AphubError as exc:
            log.warning("intake.feed_failed", feed=feed, error=type(exc).__name__, words=str(exc))
            troubles[feed] = " ".join(str(exc).split())
        except Exception:
            log.exception("intake.feed_failed", feed=feed)
            troubles[feed] = "The log says why, under intake.feed_failed."
    if desk.config.provider.feeds:
        feed_trouble.keep(desk, troubles)
    return results


def take_in(desk: Desk, feed: str, source: Source[Any], batch: SourceBatch) -> IntakeResult:
    """Take one original in; what was begun and interrupted goes on where it stopped.

    An original that is already here, byte for byte, is refused by name. Only one that cannot be read at all is
    refused otherwise; what is odd about a row becomes a question.
    """
    kept = _store(desk, feed, batch)
    desk.boundary("intake.stored")
    if kept.state == "taken" and kept.settled_at is not None:
        when = moment_words(kept.settled_at.astimezone(LONDON))
        words = f"This file is the same as one that was already taken at {when}. Nothing was changed."
        return _settle(desk, source, batch, kept, _refused(kept, feed, batch, words), again=True)
    telling: list[int] = []
    if kept.state != "taken":
        try:
            take_rows(desk, feed, kept, _noticed(source.rows(batch), telling))
        except SourceRefusedError as exc:
            return _refuse(desk, source, batch, kept, feed, exc)
        _finish(desk, feed, kept, batch)
        desk.boundary("intake.taken")
    return _settle(desk, source, batch, kept, _result(desk, kept.intake_id, batch), telling=telling)


def take_in_file(desk: Desk, path: Path, feed: str = "") -> IntakeResult:
    """Take one file in as if it had come by a feed; without a name, the provider's first one.

    A file that stands in the feed's own place is put away; one from elsewhere stays where it is.

    Raises:
        FeedMissingError: There is no such feed, or none at all.
    """
    feed = feed or next(iter(desk.config.provider.feeds), "")
    batch = SourceBatch(path.name, media_type(path.name), path.read_bytes())
    return take_in(desk, feed, source_of(desk, feed), batch)


def open_original(desk: Desk, ref: str) -> tuple[str, bytes]:
    """Give an original's name and bytes, as they came in.

    Raises:
        AphubError: There is none of that reference.
    """
    with desk.store.reading() as connection:
        row = intakes.by_ref(connection, desk.provider_id, ref)
    if row is None:
        raise AphubError(
            "We know no register of that reference.", "", "Check it against the report beside the file."
        )
    place = place_of("intakes", desk.provider_id, row.intake_id)
    name, content = desk.vault.open_many(
        [(row.key_id, f"{place}/name", row.sealed_name), (row.key_id, place, row.sealed)]
    )
    return name.decode(), content


def _store(desk: Desk, feed: str, batch: SourceBatch) -> Row[Any]:
    """Keep the original before anything is read of it; one that was refused before gets another chance."""
    digest = desk.vault.digest(batch.content)
    with desk.store.transaction() as connection:
        known = intakes.by_digest(connection, desk.provider_id, digest)
        if known is None:
            intake_id = allocate(connection, "intakes")[0]
            [key] = desk.vault.data_keys([intake_id], ORIGINAL, desk.year())
            place = place_of("intakes", desk.provider_id, intake_id)
            intakes.add(
                connection,
                {
                    "provider_id": desk.provider_id,
                    "intake_id": intake_id,
                    "ref": desk.references(1)[0],
                    "source": feed,
                    "file_digest": digest,
                    "media_type": batch.media_type,
                    "key_id": key.key_id,
                    "sealed_name": desk.vault.seal(key, f"{place}/name", batch.name.encode()),
                    "sealed": desk.vault.seal(key, place, batch.content),
                    "state": "stored",
                    "received_at": desk.now,
                },
            )
        elif known.state == "refused":
            intakes.change(connection, desk.provider_id, known.intake_id, state="stored", settled_at=None)
        row = intakes.by_digest(connection, desk.provider_id, digest)
    if row is None:
        message = "the original that was just kept is not there"
        raise LookupError(message)
    return row


def _finish(desk: Desk, feed: str, kept: Row[Any], batch: SourceBatch) -> None:
    """Say that the original is taken, with counts that add up, and put it into the ledger."""
    with desk.store.transaction() as connection:
        row = intakes.lock(connection, desk.provider_id, kept.intake_id)
        if row.state == "taken":
            return
        found = intakes.counts(connection, desk.provider_id, kept.intake_id)
        counted = {name: found.get(name, 0) for name in (ENTERED, UNCHANGED, QUESTIONED)}
        intakes.change(
            connection,
            desk.provider_id,
            kept.intake_id,
            state="taken",
            rows_read=sum(counted.values()),
            **{f"rows_{name}": count for name, count in counted.items()},
        )
        fields = {
            "intake": kept.ref,
            "source": feed,
            "content": desk.vault.digest(batch.content).hex(),
            "rows": sum(counted.values()),
            **counted,
        }
        record(connection, desk, [Statement("intake.taken", kept.ref, fields)])
    log.info("intake.taken", intake=kept.ref, feed=feed, rows=sum(counted.values()), **counted)


def _refuse(
    desk: Desk, source: Source[Any], batch: SourceBatch, kept: Row[Any], feed: str, why: SourceRefusedError
) -> IntakeResult:
    with desk.store.transaction() as connection:
        intakes.change(connection, desk.provider_id, kept.intake_id, state="refused")
    log.info("intake.refused", intake=kept.ref, feed=feed)
    return _settle(desk, source, batch, kept, _refused(kept, feed, batch, str(why)))


def _refused(kept: Row[Any], feed: str, batch: SourceBatch, words: str) -> IntakeResult:
    return IntakeResult(kept.ref, feed, "refused", words=words, name=batch.name)


def _result(desk: Desk, intake_id: int, batch: SourceBatch) -> IntakeResult:
    with desk.store.reading() as connection:
        row = intakes.by_number(connection, desk.provider_id, intake_id)
    return IntakeResult(
        row.ref, row.source, "taken", row.rows_read or 0, row.rows_entered or 0, row.rows_unchanged or 0,
        row.rows_questioned or 0, name=batch.name,
    )  # fmt: skip


def _settle(
    desk: Desk,
    source: Source[Any],
    batch: SourceBatch,
    kept: Row[Any],
    result: IntakeResult,
    *,
    again: bool = False,
    telling: Sequence[int] = (),
) -> IntakeResult:
    """Let the source put the original away, then remember that it did; interrupted, it is asked again."""
    with desk.store.reading() as connection:
        asked = intakes.questions_of(connection, desk.provider_id, kept.intake_id) if result.rows else []
    questions = [question_words(desk, row) for row in asked[:MOST_SHOWN]]
    report = report_words(result, questions, kept.received_at, telling)
    source.settled(batch, taken=result.state == "taken", report=report, sealed=kept.sealed)
    desk.boundary("intake.settled")
    if not again:
        with desk.store.transaction() as connection:
            intakes.change(connection, desk.provider_id, kept.intake_id, settled_at=desk.now)
    return replace(result, report=report)


def _noticed(rows: Iterable[SourceRow], telling: list[int]) -> Iterator[SourceRow]:
    """Note the rows whose reason reads like a safeguarding matter, as they go by."""
    for row in rows:
        if tells_too_much(row.reason):
            telling.append(row.number)
        yield row


def _resolved(desk: Desk, value: Any) -> Any:
    if isinstance(value, str) and value.startswith(SECRET):
        return desk.vault.secret(value.removeprefix(SECRET))
    return value
