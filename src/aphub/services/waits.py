"""What waits for a person: what it is, what to do about it, and until when. What is one act is one thing."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Row

from aphub.services.asking import NO_WAY, SINCE_RESTORE, for_many
from aphub.services.case_views import CaseLine, cases_on
from aphub.services.desk import Desk
from aphub.services.endings import TASK as ENDING
from aphub.services.endings import ends_soon
from aphub.services.intake_report import column_words
from aphub.services.intake_rows import question_words
from aphub.services.overview import channel_lines
from aphub.store import leaving, looking

MOST_OPEN = 500
_NOT_EMPTIED = "This provider has left, and is not served. Not all of it is destroyed yet: finish that."


@dataclass(frozen=True, slots=True)
class Open:
    """One thing that waits for a person: its reference, what it is, what to do, and until when.

    `also` are the references of what the same act, such as one call to a school, is about beside it.
    """

    kind: str
    ref: str
    words: str
    mend: str = ""
    due: datetime | None = None
    organisation: str = ""
    choices: tuple[str, ...] = field(default=())
    also: tuple[str, ...] = field(default=())

    @property
    def refs(self) -> tuple[str, ...]:
        """All its references, its own first."""
        return (self.ref, *self.also)


def waiting(desk: Desk, limit: int = MOST_OPEN, *, for_mail: bool = False) -> list[Open]:
    """Give everything that waits for a person at this provider, and what to do about each.

    With `for_mail`, nothing points at a pupil, and nothing repeats what a register says.
    """
    with desk.store.reading() as connection:
        provider = desk.provider_id
        tasks = looking.open_tasks(connection, provider, limit)
        holds = looking.open_holds(connection, provider, limit)
        questions = looking.open_questions(connection, provider, limit)
        doubtful = looking.uncertain(connection, provider)
        ways = looking.every_channel(connection, provider)
        gone = desk.slug in leaving.closed(connection)
    if gone:
        # Its keys may be destroyed already, and nothing of it is taken in or sent any more.
        return [
            Open(
                "offboard", desk.slug, _NOT_EMPTIED, f"aphub --provider {desk.slug} offboard --to NEW-FOLDER"
            )
        ]
    cases = cases_on(desk)
    told = {row.subject for row in tasks if row.kind == "settle"}
    ending = {row.subject for row in tasks if row.kind == ENDING}
    return [
        *(_case(line, for_mail=for_mail) for line in cases),
        *_tasks(desk, tasks),
        *(
            Open("uncertain", row.reference, "May have arrived. Ask them.", _settle(row.reference), row.due_by, row.organisation)
            for row in doubtful
            if row.reference not in told
        ),
        *(_hold(row) for row in holds),
        *(_question(desk, row, for_mail=for_mail) for row in questions),
        *(
            Open("channel", f"{line.organisation} {line.channel}", f"This way is {line.words}. {line.trouble}".strip(), line.next_step, None, line.organisation)
            for line in channel_lines(desk, ways)
            if line.state != "live" and line.next_step
        ),
        *(
            Open("channel", f"{way.organisation} {way.channel}", f"Nothing can go this way. {way.words}", way.mend, None, way.organisation)
            for way in desk.routes.lost
        ),
        *(
            Open("ending", one.way, one.words, one.mend, one.at, one.organisation)
            for one in ends_soon(desk)
            if one.subject(desk.now) not in ending
        ),
    ]  # fmt: skip


def _case(line: CaseLine, *, for_mail: bool) -> Open:
    whose = f" ({line.owner})" if line.owner else ""
    late = f" Overdue{', also for ' + line.also if line.also else ''}." if line.overdue else ""
    more = f" And {line.to_do - 1} more." if line.to_do > 1 else ""
    whom = f"Pupil {line.pupil_ref}: " if line.pupil_ref and not for_mail else ""
    words = f"{whom}{line.about}. {line.next_step.rstrip('.')}{whose}.{late}{more}"
    return Open("case", line.ref, words, f"aphub case {line.ref}", line.due)


def _tasks(desk: Desk, rows: Iterable[Row[Any]]) -> Iterator[Open]:
    """Give each task; those about reports to one school that one call settles stand as one."""
    calls: dict[tuple[Any, ...], list[Row[Any]]] = {}
    for row in rows:
        one_call = NO_WAY in row.words or SINCE_RESTORE in row.words
        calls.setdefault((row.organisation, row.words, row.due_at) if one_call else (row.ref,), []).append(
            row
        )
    for row, *others in calls.values():
        yield _task(desk, row, tuple(one.ref for one in others))


def _task(desk: Desk, row: Row[Any], also: tuple[str, ...]) -> Open:
    words = for_many(row.words, len(also) + 1) if also else row.words
    refs = " ".join((row.ref, *also))
    mend = _settle(row.subject) if row.kind == "settle" else f"When it is done: aphub settle {row.ref} --done"
    if row.kind == "release":
        mend = f"What it says: aphub preview {row.ref}. To let it leave: aphub release {refs}. Or, told by phone: aphub call {refs}"
    elif row.kind == "phone_school":
        mend = f"What to say: aphub preview {row.ref}. Then: aphub call {refs}"
    name = desk.name_of(row.organisation or "")
    words = words if name in words else f"{name}: {words}"
    return Open(row.kind, row.ref, words, mend, row.due_at, row.organisation or "", also=also)


def _settle(reference: str) -> str:
    return f"aphub settle {reference} --arrived (or --not-arrived)"


def _hold(row: Row[Any]) -> Open:
    if row.kind == "channel_not_approved" and row.organisation:
        mend = f"aphub check {row.organisation} {row.channel}"
    elif row.kind == "wrong_school":
        mend = "Check who is told about each placement, then import them again."
    else:
        mend = f"aphub show {row.reference}" if row.reference else ""
    return Open(
        row.kind, row.ref, f"{row.reference or ''} {row.words}".strip(), mend, None, row.organisation or ""
    )


def _question(desk: Desk, row: Row[Any], *, for_mail: bool) -> Open:
    if for_mail:
        return Open("question", row.ref, "A mark or a row of a register could not be read.", "aphub waiting")
    try:
        asked = question_words(desk, row)
    except Exception:  # noqa: BLE001 - one question that cannot be opened must not hide the others
        return Open(
            "question", row.ref, "A mark that we cannot show any more.", f'aphub answer {row.ref} "set aside"'
        )
    choices = tuple(str(one) for one in asked.get("choices", ()))
    where = (
        f"Row {asked['row']}, {column_words(asked['column'])}: "
        if asked.get("row") and asked.get("column")
        else ""
    )
    return Open(
        "question",
        row.ref,
        f"{where}{asked.get('words', '')}".strip(),
        f"{asked.get('mend', '')} Then: aphub answer {row.ref} CHOICE".strip(),
        None,
        "",
        choices,
    )
