"""Let go of what has been kept long enough: by class, by destroying keys; the ledger's proofs stay valid.

A legal hold on a pupil goes before every age. The same purge twice changes nothing.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from sqlalchemy import Connection

from aphub.domain.calendar import school_year, to_utc
from aphub.domain.ledger.fields import instant_text
from aphub.logs import get_logger
from aphub.services import erase
from aphub.services.desk import Desk
from aphub.services.publish import published_by
from aphub.services.recording import Statement, record
from aphub.services.way import signed
from aphub.store import about_pupil, callbacks, calls, dispatching, erasing, keeping, overdue
from aphub.store.engine import allocate, recall, remember

DAILY = time(3, 30)
"""When the daily purge runs, in London: no register is taken then and no report is due."""
BY_RULE = "the hub, by the rules on how long records are kept"
_BATCH = 500
_YEARS = {"intake": "mark_years", "report": "report_years"}
_BY_ENTRIES = "entry_years"
_NEVER_BY_YEAR = frozenset({erase.MESSAGE, erase.ORIGINAL, "pupil", "channel"})
Find = Callable[[Connection, int, datetime, int], list[int]]
log = get_logger("purge")


@dataclass(frozen=True, slots=True)
class Part:
    """What a purge lets go of one class: kept until when, how many records; what that is in words."""

    name: str
    words: str
    until: datetime
    records: int


@dataclass(frozen=True, slots=True)
class _Horizons:
    """Before which instant each class goes."""

    messages: datetime
    registers: datetime
    accesses: datetime
    pupils: date


def preview(desk: Desk) -> list[Part]:
    """Say what a purge would let go of now; nothing is changed."""
    horizons = _horizons(desk)
    with desk.store.reading() as connection:
        provider = desk.provider_id
        messages = overdue.old_messages(connection, provider, horizons.messages, 10**6)
        registers = overdue.old_registers(connection, provider, horizons.registers, 10**6)
        pupils = overdue.pupils_gone_since(connection, provider, horizons.pupils)
        lines = keeping.old_accesses(connection, provider, horizons.accesses)
    found = [
        Part(erase.MESSAGE, "messages as they were sent", horizons.messages, len(messages)),
        Part(erase.ORIGINAL, "registers as they came in", horizons.registers, len(registers)),
        Part("access", "lines of who viewed what", horizons.accesses, lines),
        Part("pupil", "pupils who left long ago", _midnight(horizons.pupils), len(pupils)),
    ]
    held = _held(desk)
    for (record_class, year), until in _old_years(desk).items():
        names = [
            name for subject, name in desk.vault.names_in(record_class, year).items() if subject not in held
        ]
        found.append(Part(record_class, f"{record_class} records of {year}", until, len(names)))
    return [part for part in found if part.records]


def purge(desk: Desk, by: str = BY_RULE) -> list[Part]:
    """Let go of everything that has been kept long enough, and state it in the ledger; give what went.

    The ledger keeps `by` and the number of the configuration whose rules were used: who published those asked for it.
    """
    horizons = _horizons(desk)
    gone = [
        Part(
            erase.MESSAGE,
            "messages as they were sent",
            horizons.messages,
            _content(desk, erase.MESSAGE, overdue.old_messages, horizons.messages),
        ),
        Part(
            erase.ORIGINAL,
            "registers as they came in",
            horizons.registers,
            _content(desk, erase.ORIGINAL, overdue.old_registers, horizons.registers),
        ),
    ]
    gone += _years_of_classes(desk)
    gone.append(
        Part("pupil", "pupils who left long ago", _midnight(horizons.pupils), _pupils(desk, horizons, by))
    )
    with desk.store.transaction() as connection:
        lines = keeping.forget_accesses(connection, desk.provider_id, horizons.accesses)
        gone.append(Part("access", "lines of who viewed what", horizons.accesses, lines))
        gone = [part for part in gone if part.records]
        said = [
            Statement(
                "class.purged",
                part.name,
                {
                    "class": part.name,
                    "until": instant_text(part.until),
                    "records": part.records,
                    "snapshot": desk.snapshot,
                    "by": signed(desk, by),
                },
            )
            for part in gone
        ]
        record(connection, desk, said)
    finished = erase.go_on(desk)
    _copies(desk)
    if gone or finished:
        log.info(
            "purge.done", classes=len(gone), records=sum(part.records for part in gone), finished=finished
        )
    return gone


def purge_when_due(desk: Desk) -> bool:
    """Purge once a day, by itself; give whether it was time."""
    with desk.store.reading() as connection:
        due = next_due(desk, connection)
    if due is not None and due > desk.now:
        return False
    if due is not None:
        purge(desk)
    with desk.store.transaction() as connection:
        # An address that nobody is heard at any more is of no use to anybody; what was said is in the receipts.
        callbacks.forget(connection, desk.provider_id, desk.now - timedelta(days=7))
        remember(connection, _fact(desk), _next_night(desk).isoformat())
    return due is not None


def next_due(desk: Desk, connection: Connection) -> datetime | None:
    """Give when the next daily purge is due; None before the first day."""
    kept = recall(connection, _fact(desk))
    return datetime.fromisoformat(kept) if kept else None


def _next_night(desk: Desk) -> datetime:
    at = to_utc(desk.today, DAILY)
    return at if at > desk.now else to_utc(desk.today + timedelta(days=1), DAILY)


def _fact(desk: Desk) -> str:
    return f"purge_due:{desk.provider_id}"


def _horizons(desk: Desk) -> _Horizons:
    kept, now = desk.config.provider.retention, desk.now
    return _Horizons(
        messages=now - timedelta(days=kept.message_days),
        registers=now - timedelta(days=kept.register_days),
        accesses=now - timedelta(days=366 * kept.access_years),
        # Whoever left in a school year whose end lies that many years back.
        pupils=date(_first_year(desk.today) - kept.pupil_years, 9, 1),
    )


def _first_year(day: date) -> int:
    return int(school_year(day)[:4])


def _midnight(day: date) -> datetime:
    return to_utc(day, time(0))


def _old_years(desk: Desk) -> dict[tuple[str, str], datetime]:
    """Give the classes and school years of pupils' records that have been kept long enough, with each one's limit."""
    kept = desk.config.provider.retention
    this_year = _first_year(desk.today)
    old = {}
    for record_class, year in desk.vault.classes():
        if record_class in _NEVER_BY_YEAR:
            continue
        years: int = getattr(kept, _YEARS.get(record_class, _BY_ENTRIES))
        # The records of 2019-20 go when `years` whole years have passed since 31 August 2020.
        if this_year - int(year[:4]) > years:
            old[record_class, year] = _midnight(date(this_year - years, 9, 1))
    return dict(sorted(old.items()))


def _held(desk: Desk) -> set[str]:
    """Name whose keys a legal hold keeps: the pupils', and those of calls about messages that told of them."""
    provider = desk.provider_id
    with desk.store.reading() as connection:
        pupils = {row.pupil_id for row in keeping.open_holds(connection, provider)}
        made = [number for pupil in pupils for number in about_pupil.calls_about(connection, provider, pupil)]
    return {str(pupil) for pupil in pupils} | {calls.key_subject(number) for number in made}


def _content(desk: Desk, record_class: str, find: Find, until: datetime) -> int:
    gone = 0
    while True:
        with desk.store.reading() as connection:
            numbers = find(connection, desk.provider_id, until, _BATCH)
        if not numbers:
            return gone
        gone += erase.erase_content(desk, record_class, numbers)
        desk.boundary("purge.batch")


def _years_of_classes(desk: Desk) -> list[Part]:
    """Destroy whole school years of a class, pupil by pupil, except of those who are held; the rows first."""
    held, gone = _held(desk), []
    for (record_class, year), until in _old_years(desk).items():
        names = [
            name for subject, name in desk.vault.names_in(record_class, year).items() if subject not in held
        ]
        if not names:
            continue
        with desk.store.transaction() as connection:
            erasing.empty_by_keys(connection, desk.provider_id, desk.vault.key_ids(names))
        desk.boundary("purge.emptied")
        desk.vault.erase_named(names)
        gone.append(Part(record_class, f"{record_class} records of {year}", until, len(names)))
    return gone


def _copies(desk: Desk) -> None:
    """Delete copies of the keys whose time is over; one that we cannot reach is a person's to delete."""
    _, left = desk.vault.delete_expired_copies(desk.now)
    if not left:
        return
    with desk.store.transaction() as connection:
        numbers = allocate(connection, "tasks", len(left))
        tasks = [
            {
                "provider_id": desk.provider_id,
                "task_id": number,
                "ref": ref,
                "kind": "delete_key_copy",
                "subject": place.rpartition("/")[2][:120],
                "pupil_id": None,
                "organisation": None,
                "words": f"Delete this copy of the keys by hand, it has expired: {place}. Then: aphub key-copies --gone"[
                    :300
                ],
                "due_at": desk.now + timedelta(days=1),
                "state": "open",
                "raised_at": desk.now,
            }
            for place, number, ref in zip(left, numbers, desk.references(len(left)), strict=True)
        ]
        dispatching.open_tasks(connection, tasks)


def _pupils(desk: Desk, horizons: _Horizons, by: str) -> int:
    with desk.store.reading() as connection:
        numbers = overdue.pupils_gone_since(connection, desk.provider_id, horizons.pupils)
        who = published_by(connection, desk.provider_id, desk.snapshot)
    years = desk.config.provider.retention.pupil_years
    rule = f"kept long enough: pupil_years = {years}, configuration {desk.snapshot} published by {who}"
    for number in numbers:
        erase.erase_by_age(desk, number, by, rule)
    return len(numbers)
