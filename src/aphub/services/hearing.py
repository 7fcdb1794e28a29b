"""Take in what far sides say later about messages that were handed over.

Bad news supersedes the rung, a person's answer reaches a person at once, and every word of theirs is sealed.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row

from aphub.api.answers import LaterKind, LaterNews
from aphub.domain.reports import Kind
from aphub.domain.threads import is_urgent_line
from aphub.services.desk import Desk, place_of
from aphub.services.fallback import Onward, open_task, raise_task, send_onward
from aphub.services.outcomes import evidence_digest, keep_receipts
from aphub.services.recording import Statement, record
from aphub.store import carrying, delivering, listening, lives, settling
from aphub.store.frozen import lines_from_data

_WITH_THEM = frozenset({"handed_over", "accepted"})
_LONGEST = 4_000
_IDENTITY = 40
MACHINE = "the far side"


@dataclass(frozen=True, slots=True)
class _Heard:
    """One piece of news beside the message that it is about, and the reports in that."""

    news: LaterNews
    row: Row[Any]
    carried: Sequence[Row[Any]]
    identity: str

    @property
    def named(self) -> str:
        """The message with what was said about it."""
        return f"{self.row.reference} ({self.news.what})" if self.news.what else str(self.row.reference)


def take_news(desk: Desk, connection: Connection, name: str, news: Sequence[LaterNews]) -> int:
    """Take news in, in the caller's transaction, which holds the ledger's lock; give how much of it was new.

    What is about no message of ours is left where it is; a mailbox holds other mail too.
    """
    taken = 0
    for one in news:
        rows = listening.told_of(connection, desk.provider_id, one.about)
        row = next((rows[reference] for reference in one.about if reference in rows), None)
        if row is None:
            taken += _unknown(desk, connection, one)
            continue
        way = desk.routes.one(row.organisation, row.channel)
        if one.kind is not LaterKind.REPLY and (way is None or way.connection != name):
            continue  # a machine speaks of what went its own way, or of nothing
        identity = hashlib.sha256(one.identity.encode()).hexdigest()[:_IDENTITY]
        if listening.is_known(connection, desk.provider_id, row.dispatch_id, one.kind.value, identity):
            continue
        carried = carrying.carried(connection, desk.provider_id, [row.dispatch_id]).get(row.dispatch_id, [])
        _take(desk, connection, _Heard(one, row, carried, identity))
        taken += 1
    return taken


def _take(desk: Desk, connection: Connection, heard: _Heard) -> None:
    news = heard.news
    evidence = {"said": news.what, "code": news.code, "words": news.words[:_LONGEST]}
    receipt = {
        "provider_id": desk.provider_id,
        "dispatch_id": heard.row.dispatch_id,
        "rung": news.kind.value,
        "far_reference": heard.identity,
        "reports": {},
        "hops": "",
        "evidence": evidence,
        "at": min(news.at or desk.now, desk.now),
    }
    keep_receipts(desk, connection, [receipt])
    if news.kind is LaterKind.BOUNCED:
        _came_back(desk, connection, heard, evidence)
    elif news.kind is LaterKind.ACCEPTED:
        _arrived(desk, connection, heard, evidence)
    else:
        _to_a_person(desk, connection, heard)


def _came_back(desk: Desk, connection: Connection, heard: _Heard, evidence: dict[str, str]) -> None:
    """Take the debt back and send the reports another way, or give a person the phone."""
    row, carried, now = heard.row, heard.carried, desk.now
    _say(desk, connection, "dispatch.bounced", heard, evidence, cause="far-side-refused")
    if row.state == "confirmed":
        words = f"{heard.named} came back after somebody had confirmed it. Ask who has it."
        raise_task(desk, connection, row, "fix_channel", words, now)
        return
    if row.state not in _WITH_THEM and row.state != "uncertain":
        return  # it was never with them, or something else has taken its place
    change = {
        "key": row.dispatch_id,
        "state": "refused",
        "rung": "bounced",
        "because": f"it came back: {heard.news.what or 'their system did not take it'}"[:200],
        "next_at": None,
    }
    delivering.change_dispatches(connection, desk.provider_id, [change])
    delivering.answer_all(connection, desk.provider_id, [row.dispatch_id], "refused")
    if row.state == "uncertain":
        # It went on by another way when the doubt arose; now the doubt is settled.
        settling.finish_tasks_of(
            connection, desk.provider_id, "settle", row.reference, now, MACHINE, "came back"
        )
        return
    newest = [one.owed_id for one in carried if one.version == one.newest_version]
    if row.kind != Kind.ALERT and newest:
        delivering.owe_again(connection, desk.provider_id, newest)
    why = f"it came back: {heard.news.what}" if heard.news.what else "it came back"
    send_onward(desk, connection, Onward(row, carried, why, refused=True), now)


def _arrived(desk: Desk, connection: Connection, heard: _Heard, evidence: dict[str, str]) -> None:
    """Note that it lies with them; that settles a doubt too, and what was to take its place stays here."""
    row, provider, now = heard.row, desk.provider_id, desk.now
    if row.state not in {"handed_over", "uncertain"}:
        return
    change = {
        "key": row.dispatch_id,
        "state": "accepted",
        "rung": "accepted",
        "because": None,
        "next_at": None,
        "handed_over_at": row.handed_over_at
        or settling.last_try(connection, provider, row.dispatch_id)
        or now,
    }
    delivering.change_dispatches(connection, provider, [change])
    _say(desk, connection, "dispatch.accepted", heard, evidence)
    if row.state == "handed_over":
        return
    delivering.answer_all(connection, provider, [row.dispatch_id], "taken")
    newest = [one.owed_id for one in heard.carried if one.version == one.newest_version]
    settling.meet(connection, provider, newest if row.kind != Kind.ALERT else [], change["handed_over_at"])
    others = lives.replacements_of(connection, provider, row.dispatch_id)
    waiting = [one.dispatch_id for one in others if one.state in {"waiting", "held"}]
    settling.cancel(connection, provider, waiting, f"{row.reference} arrived")
    settling.clear_tasks(connection, provider, row.reference, now, MACHINE, "arrived")


def _to_a_person(desk: Desk, connection: Connection, heard: _Heard) -> None:
    """Give a person what only a person can judge; what is urgent and unread needs the phone."""
    row, kind, now = heard.row, heard.news.kind, desk.now
    organisation = desk.config.organisations.get(row.organisation)
    name = organisation.name if organisation else row.organisation
    late = kind is LaterKind.DELAYED and now >= row.due_by
    pressing = late or (kind is not LaterKind.REPLY and _is_urgent(desk, heard))
    phone = f"Phone {name} about it." if pressing else ""
    if kind is LaterKind.REPLY:
        whom = desk.config.provider.who("office")
        words = f'For {whom}: {name} answered {row.reference}. Read it: aphub show {row.reference} --names "a reply"'
        # Each answer is a task of its own: the second may say what the first did not.
        raise_task(desk, connection, row, "read_reply", words, now, apart=heard.identity[:8])
    elif kind is LaterKind.LEFT:
        words = f"{heard.named}: nobody reads this address of {name} any more. Ask them for the right one. {phone}"
        raise_task(desk, connection, row, "check_address", words.strip(), now)
    elif kind is LaterKind.DELAYED:
        words = f"{heard.named} has not reached {name} yet; their mail server goes on trying. {phone}"
        if pressing:
            raise_task(desk, connection, row, "not_confirmed", words.strip(), now)
    elif pressing:
        words = f"{heard.named}: only a machine answered, so perhaps nobody has read it. {phone}"
        raise_task(desk, connection, row, "not_confirmed", words, now)


def _is_urgent(desk: Desk, heard: _Heard) -> bool:
    """Say whether the message tells of a child whom somebody may be looking for; erased content tells of nobody."""
    places = [
        (one.key_id, place_of("reports", desk.provider_id, one.report_id), one.sealed)
        for one in heard.carried
        if one.sealed
    ]
    contents = desk.vault.try_open_json_many(places)
    return any(is_urgent_line(line) for one in contents if one for line in lines_from_data(one["lines"]))


def _unknown(desk: Desk, connection: Connection, news: LaterNews) -> int:
    """Tell a person of what came back though the log has no such message: most likely a TEST message."""
    prefix = f"{desk.config.provider.prefix}-"
    reference = next((one for one in news.about if one.startswith(prefix)), "")
    if news.kind is not LaterKind.BOUNCED or not reference:
        return 0
    words = (
        f"{reference} came back ({news.what}). It is not in the log, so it was a TEST: check that address."
    )
    open_task(desk, connection, "fix_channel", reference, None, words, desk.now)
    return 1


def _say(
    desk: Desk, connection: Connection, kind: str, heard: _Heard, evidence: dict[str, str], **more: str
) -> None:
    fields = {
        "dispatch": heard.row.reference,
        "reports": [one.commitment for one in heard.carried],
        "evidence": evidence_digest(desk, evidence),
        **more,
    }
    record(connection, desk, [Statement(kind, heard.row.reference, fields)])
