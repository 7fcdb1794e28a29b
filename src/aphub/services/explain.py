"""Why something was sent, or not: every rule in its order, its answer, and the one thing that would change it."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, Row

from aphub.domain.wording import day_words, moment_words, period_words, time_words
from aphub.services.desk import Desk
from aphub.services.overview import CHANNEL_WORDS, STATE_WORDS
from aphub.services.whose import placements_meant
from aphub.store import lanes, lives, looking

_SENT = frozenset({"handed_over", "accepted", "confirmed"})


class Why(StrEnum):
    """Everything that an explanation can end in: a closed list, so that no answer is made up."""

    SENT = "sent"
    NOT_PLACED = "placement not started or ended"
    CLOSED = "provider closed that day"
    NOT_TIMETABLED = "not timetabled"
    NOT_TOLD = "nobody is told about this placement that day"
    NO_AGREEMENT = "nothing was agreed for that day"
    DO_NOT_SHARE = "do not share this pupil"
    NO_REGISTER = "register not taken"
    MARK_NOT_READ = "mark we could not read"
    NOT_YET = "its time has not come"
    PAUSED = "route paused"
    NOT_APPROVED = "recipient not verified"
    CHANGED = "recipient changed, waiting for approval"
    HELD = "held for checking"
    TRYING = "could not be sent yet, tried again"
    REFUSED = "their system rejected the message"
    UNCERTAIN = "may have arrived"
    TOO_LATE = "too late to be useful"
    WITHDRAWN = "not due any more"
    HUB_OFF = "not looked at yet"


@dataclass(frozen=True, slots=True)
class Rule:
    """One question that was asked, its answer, and what would change it where it stands in the way."""

    question: str
    good: bool
    answer: str
    mend: str = ""


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why one organisation was told of a placement's day, or was not."""

    organisation: str
    name: str
    why: Why
    words: str
    mend: str
    rules: tuple[Rule, ...]


@dataclass(frozen=True, slots=True)
class _End:
    """A rule that ends the questions."""

    why: Why
    rule: Rule


def explain(desk: Desk, what: str, day: date, half: str = "") -> list[Explanation]:
    """Explain one day of a placement, or of a pupil's placements, once for everybody who is or would be told.

    `half` is AM or PM where only one is asked for.

    Raises:
        AphubError: There is no such placement or pupil.
    """
    with desk.store.reading() as connection:
        rows = placements_meant(desk, connection, what)
        running = [
            row for row in rows if row.starts_day <= day and (row.ends_day is None or row.ends_day >= day)
        ]
        return [one for row in running or rows[-1:] for one in _of_one(desk, connection, row, day, half)]


def _of_one(desk: Desk, connection: Connection, row: Row[Any], day: date, half: str) -> list[Explanation]:
    common = list(_placement_rules(desk, connection, row, day))
    if common and isinstance(common[-1], _End):
        return [_explained("", "everybody", common)]
    told = [
        one
        for one in looking.recipients_of(connection, desk.provider_id, row.placement_id)
        if one.starts_day <= day and (one.ends_day is None or one.ends_day >= day)
    ]
    if not told:
        mend = "Add who is told to the pupils' file, then: aphub import FILE"
        nobody = Rule("Is anybody told?", good=False, answer="Nobody is told on that day.", mend=mend)
        return [_explained("", "everybody", [*common, _End(Why.NOT_TOLD, nobody)])]
    owed = looking.owed_for(connection, desk.provider_id, row.placement_id, day)
    lessons = looking.lessons_on(connection, desk.provider_id, row.placement_id, day)
    return [
        _explained(
            one.organisation,
            desk.config.organisations[one.organisation].name,
            [*common, *_told_rules(desk, connection, one, owed, lessons, day, half)],
        )
        for one in told
        if one.organisation in desk.config.organisations
    ]


def _explained(organisation: str, name: str, found: Sequence[Rule | _End]) -> Explanation:
    rules = tuple(one.rule if isinstance(one, _End) else one for one in found)
    last = found[-1]
    why = last.why if isinstance(last, _End) else Why.HUB_OFF
    return Explanation(organisation, name, why, rules[-1].answer, rules[-1].mend, rules)


def _placement_rules(desk: Desk, connection: Connection, row: Row[Any], day: date) -> Iterator[Rule | _End]:
    """Ask what holds for everybody: placement, provider's calendar, timetable, do not share."""
    question = "Does the placement run on that day?"
    if day < row.starts_day or (row.ends_day is not None and day > row.ends_day):
        ends = f" to {day_words(row.ends_day)}" if row.ends_day else ""
        words = f"It runs from {day_words(row.starts_day)}{ends}."
        yield _End(
            Why.NOT_PLACED,
            Rule(question, good=False, answer=words, mend="Change its dates, then: aphub import FILE"),
        )
        return
    yield Rule(question, good=True, answer="Yes.")
    lessons = looking.lessons_on(connection, desk.provider_id, row.placement_id, day)
    due = [one for one in lessons if one.state != "withdrawn"]
    closed = desk.config.provider.calendar().why_closed(day)
    question = "Is the provider open?"
    if closed and not due:
        yield _End(
            Why.CLOSED,
            Rule(
                question,
                good=False,
                answer=f"Closed: {closed}.",
                mend="Change the closures, then: aphub apply",
            ),
        )
        return
    yield Rule(question, good=True, answer="Yes.")
    question = "Is a lesson timetabled?"
    if not due:
        gone = next((one.withdrawn_because for one in lessons if one.withdrawn_because), "")
        words = f"No: {gone}." if gone else f"No lesson on {day_words(day)}."
        yield _End(
            Why.NOT_TIMETABLED,
            Rule(question, good=False, answer=words, mend="Change the timetable, then: aphub import FILE"),
        )
        return
    times = ", ".join(f"{one.starts_wall} to {one.ends_wall}" for one in due)
    yield Rule(question, good=True, answer=f"{times}.")
    question = "May this pupil be shared?"
    if row.suppressed:
        mend = "Only the safeguarding lead decides this."
        yield _End(Why.DO_NOT_SHARE, Rule(question, good=False, answer="No: do not share.", mend=mend))
        return
    yield Rule(question, good=True, answer="Yes.")


def _told_rules(
    desk: Desk,
    connection: Connection,
    told: Row[Any],
    owed: Sequence[Row[Any]],
    lessons: Sequence[Row[Any]],
    day: date,
    half: str,
) -> Iterator[Rule | _End]:
    """Ask what holds for one organisation: agreement, what is owed, register, time, ways, messages."""
    question = "Was something agreed for that day?"
    agreement = desk.config.agreement_on(told.agreement, told.organisation, day)
    if agreement is None:
        mend = f"Add terms from an earlier date to agreements/{told.agreement}.toml, then: aphub apply"
        yield _End(
            Why.NO_AGREEMENT, Rule(question, good=False, answer=f"Not by '{told.agreement}'.", mend=mend)
        )
        return
    yield Rule(question, good=True, answer=f"Yes, '{told.agreement}'.")
    theirs = [row for row in owed if row.recipient_id == told.recipient_id]
    yield from _summary_rules(row for row in theirs if row.summary)
    mine = [row for row in theirs if not row.summary and half in {"", row.half or half}]
    question = "Is a report owed?"
    if not mine:
        words = "Not worked out yet, or no lesson in the school's hours."
        yield _End(Why.HUB_OFF, Rule(question, good=False, answer=words, mend="Run: aphub run --once"))
        return
    row = next((one for one in mine if one.state != "met"), mine[-1])
    if row.state == "withdrawn":
        words = f"Not any more: {row.because or 'nothing is due'}."
        yield _End(Why.WITHDRAWN, Rule(question, good=False, answer=words))
        return
    yield Rule(question, good=True, answer=f"Yes, by {moment_words(row.due_by)}.")
    yield from _register_rules(desk, connection, lessons)
    messages = lives.dispatches_of_owed(connection, desk.provider_id, [row.owed_id])
    if row.state == "met":
        sent = [one for one in messages if one.state in _SENT]
        when = moment_words(row.handed_over_at) if row.handed_over_at else "before"
        late = " That was late." if row.handed_over_at and row.handed_over_at > row.due_by else ""
        ref = f" as {sent[-1].reference}, by {sent[-1].channel}" if sent else ""
        how = f", {row.because}" if row.because and not sent else ""
        yield _End(Why.SENT, Rule("Was it sent?", good=True, answer=f"Yes, at {when}{ref}{how}.{late}"))
        return
    if not messages and row.state == "owed" and desk.now < row.send_at:
        words = f"It leaves at {time_words(row.send_at)}, or as agreed when all registers are in."
        yield _End(Why.NOT_YET, Rule("Has its time come?", good=False, answer=words))
        return
    yield from _way_rules(desk, connection, told.organisation, agreement.channels)
    yield _message_rule(desk, connection, row, messages)


def _summary_rules(rows: Iterable[Row[Any]]) -> Iterator[Rule]:
    """Say of each summary that holds this day whether it was sent; it stops no report."""
    for row in rows:
        question = f"Was the summary sent ({period_words(row.first_day, row.until_day, '')})?"
        if row.state == "met":
            when = f", at {moment_words(row.handed_over_at)}" if row.handed_over_at else ""
            yield Rule(question, good=True, answer=f"Yes{when}.")
        elif row.state == "owed":
            yield Rule(question, good=True, answer=f"Not yet. It leaves by {moment_words(row.due_by)}.")
        else:
            why = row.because or STATE_WORDS.get(row.state, "it is on its way")
            mend = f"Run: aphub release {row.ref}" if row.state == "held" else ""
            yield Rule(question, good=False, answer=f"No: {why}.", mend=mend)


def _register_rules(desk: Desk, connection: Connection, lessons: Sequence[Row[Any]]) -> Iterator[Rule]:
    """Say of each lesson whether its register is in; a missing one is told too, so it stops nothing."""
    due = [one for one in lessons if one.state != "withdrawn"]
    asked = looking.questions_about(connection, desk.provider_id, [one.lesson_id for one in due])
    doubtful = {one.lesson_id: one.ref for one in asked}
    for one in due:
        question = f"Is the register of {one.starts_wall} in?"
        if one.lesson_id in doubtful:
            mend = f"Run: aphub answer {doubtful[one.lesson_id]} CHOICE"
            yield Rule(question, good=False, answer=f"{Why.MARK_NOT_READ.value.capitalize()}.", mend=mend)
        elif one.entry_id is None:
            words = "Register not taken. The school is told so." if desk.now > one.starts_at else "Not yet."
            yield Rule(question, good=False, answer=words, mend="Take the register.")
        else:
            yield Rule(question, good=True, answer=f"Yes, since {moment_words(one.made_at)}.")


def _way_rules(
    desk: Desk, connection: Connection, organisation: str, names: tuple[str, ...]
) -> Iterator[Rule]:
    rows = {
        row.name: row
        for row in looking.every_channel(connection, desk.provider_id)
        if row.organisation == organisation
    }
    for route in desk.routes.of(organisation, names):
        row = rows.get(route.channel)
        state = row.state if row is not None else "draft"
        good = row is not None and state == "live" and row.approved_destination == route.destination
        words = CHANNEL_WORDS.get(state, state)
        mend = (
            ""
            if good
            else f"Run: aphub {'resume' if state == 'paused' else 'check'} {organisation} {route.channel}"
        )
        yield Rule(f"May it go by {route.channel}?", good=good, answer=f"{words.capitalize()}.", mend=mend)


def _message_rule(desk: Desk, connection: Connection, row: Row[Any], messages: Sequence[Row[Any]]) -> _End:
    question = "Was it sent?"
    if messages:
        return _about_message(desk, connection, messages[-1], row)
    if row.state == "held":
        return _held(desk, connection, row)
    return _End(
        Why.HUB_OFF,
        Rule(question, good=False, answer="Not yet: the hub has not looked at it.", mend="Run: aphub run"),
    )


def _held(desk: Desk, connection: Connection, row: Row[Any]) -> _End:
    because = row.because or "held"
    rule = Rule("Was it sent?", good=False, answer=f"No: {because}.", mend=f"Run: aphub release {row.ref}")
    if not because.startswith("no way to send"):
        return _End(Why.HELD, rule)
    states = {
        one.state
        for one in looking.every_channel(connection, desk.provider_id)
        if one.organisation == row.organisation
    }
    why = Why.PAUSED if "paused" in states else Why.CHANGED if "changed" in states else Why.NOT_APPROVED
    verb = {Why.PAUSED: "resume", Why.CHANGED: "check", Why.NOT_APPROVED: "check"}[why]
    channel = next((one.channel for one in desk.routes.of(row.organisation)), "CHANNEL")
    mend = f"Run: aphub {verb} {row.organisation} {channel}"
    return _End(why, Rule("Was it sent?", good=False, answer=f"No: {why.value}.", mend=mend))


def _about_message(desk: Desk, connection: Connection, message: Row[Any], row: Row[Any]) -> _End:
    question = f"Did {message.reference} leave by {message.channel}?"
    tries = lives.attempts_of(connection, desk.provider_id, message.dispatch_id)
    trouble = next((one.words for one in reversed(tries) if one.words), "")
    lane = lanes.lane_row(connection, desk.provider_id, message.lane)
    trouble = trouble or (lane.words if lane is not None and lane.words else "")
    because = f" {trouble}" if trouble else ""
    if message.state == "waiting":
        again = message.next_at
        if lane is not None and lane.open_until is not None and again is not None:
            again = max(again, lane.open_until)
        when = f" Next try {time_words(again)}." if again else ""
        why = Why.TRYING if message.attempts else Why.HUB_OFF
        return _End(
            why,
            Rule(
                question,
                good=False,
                answer=f"Not yet.{because}{when}",
                mend="" if again else "Run: aphub run",
            ),
        )
    mend, why = f"Run: aphub show {message.reference}", Why.HELD
    if message.state == "uncertain":
        why, mend = (
            Why.UNCERTAIN,
            f"Ask them, then: aphub settle {message.reference} --arrived (or --not-arrived)",
        )
    elif message.state in {"refused", "bounced", "replaced"}:
        why, mend = Why.REFUSED, "Phone them; check the address with them."
    elif message.state == "expired":
        why, mend = Why.TOO_LATE, f"Phone them. If it still helps: aphub release {row.ref}"
    elif message.state in _SENT:
        why, mend = Why.SENT, ""
    words = STATE_WORDS.get(message.state, message.state).capitalize()
    return _End(
        why, Rule(question, good=why is Why.SENT, answer=f"{words}.{because or _told(message)}", mend=mend)
    )


def _told(message: Row[Any]) -> str:
    return f" {message.because.capitalize()}." if message.because else ""
