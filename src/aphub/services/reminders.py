"""What comes round, such as a weekly audit: a task on its day, chased on the next open day, once for each period."""

from datetime import datetime, time, timedelta
from typing import Any

from aphub.domain.calendar import london_day, to_utc
from aphub.domain.deadlines import next_school_day
from aphub.domain.recurring import Occasion, occasions
from aphub.domain.stretches import Every
from aphub.services.desk import Desk
from aphub.settings.following import ReminderConfig
from aphub.store import dispatching, reminding
from aphub.store.engine import allocate

REMINDER, CHASED = "reminder", "reminder_chased"
NO_TERMS = "no terms"
LOOK_BACK = timedelta(days=7)
"""What fell due while we were off is asked for all the same, for as long."""


def remind(desk: Desk) -> int:
    """Raise the tasks of what is due today or was due lately, chase what is not done; give how many are new."""
    wanted = [
        (name, config, one)
        for name, config in desk.config.provider.reminders.items()
        for one in occasions(
            config.recurring(), desk.config.provider.calendar(), desk.now - LOOK_BACK, _end_of(desk)
        )
    ]
    termless = _without_terms(desk)
    if not wanted and not termless:
        return 0
    with desk.store.transaction() as connection:
        subjects = [_subject(name, one) for name, _, one in wanted] + ([NO_TERMS] if termless else [])
        known = reminding.tasks_about(connection, desk.provider_id, (REMINDER, CHASED), subjects)
        since = reminding.agreed_since(connection, desk.provider_id)
        fresh: list[dict[str, Any]] = []
        over = []
        if termless and (REMINDER, NO_TERMS) not in known:
            fresh.append(_row(desk, REMINDER, NO_TERMS, termless, desk.now + timedelta(days=1)))
        for name, config, one in wanted:
            subject = _subject(name, one)
            row = known.get((REMINDER, subject))
            if row is None:
                # A reminder that was written today is not late for last week.
                if since is None or one.due > since:
                    fresh.append(_task(desk, REMINDER, subject, config, one))
            elif row.state != "open":
                over.append(subject)
            elif config.if_not_done and desk.now >= _chased_at(desk, one) and (CHASED, subject) not in known:
                fresh.append(_task(desk, CHASED, subject, config, one))
        reminding.end(connection, desk.provider_id, CHASED, over, desk.now)
        if fresh:
            numbers, refs = allocate(connection, "tasks", len(fresh)), desk.references(len(fresh))
            numbered = [
                {**one, "task_id": number, "ref": ref}
                for one, number, ref in zip(fresh, numbers, refs, strict=True)
            ]
            dispatching.open_tasks(connection, numbered)
    return len(fresh)


def _without_terms(desk: Desk) -> str:
    """Say what comes round each term though no terms are written, so that it never would; empty when all is well."""
    config = desk.config
    if config.provider.terms:
        return ""
    named = [name for name, one in config.provider.reminders.items() if one.recurring().every is Every.TERM]
    named += [
        f"the summaries of {slug}"
        for slug, one in config.agreements.items()
        if any(
            summary.recurring().every is Every.TERM for terms in one.versions for summary in terms.summaries
        )
    ]
    if not named:
        return ""
    return f"Write your terms into the provider's file: {', '.join(named)} cannot come round without them."


def _end_of(desk: Desk) -> datetime:
    return to_utc(desk.today + timedelta(days=1), time())


def _subject(name: str, one: Occasion) -> str:
    return f"{name} {one.stretch.key}"


def _chased_at(desk: Desk, one: Occasion) -> datetime:
    """Give when somebody else hears of it: the morning of the next open day."""
    return to_utc(next_school_day(desk.config.provider.calendar(), london_day(one.due)), time(9))


def _task(desk: Desk, kind: str, subject: str, config: ReminderConfig, one: Occasion) -> dict[str, Any]:
    who = desk.config.provider.who(config.owner if kind == REMINDER else config.if_not_done)
    late = f"not done yet by {desk.config.provider.who(config.owner)}: " if kind == CHASED else ""
    return _row(desk, kind, subject, f"{who}: {late}{config.do} ({one.stretch.words}).", one.due)


def _row(desk: Desk, kind: str, subject: str, words: str, due: datetime) -> dict[str, Any]:
    return {
        "provider_id": desk.provider_id,
        "kind": kind,
        "subject": subject,
        "pupil_id": None,
        "organisation": None,
        "words": words[:300],
        "due_at": due,
        "state": "open",
        "raised_at": desk.now,
    }
