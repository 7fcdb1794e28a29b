"""The pages of an evidence folder: what was said, in words for people, and how anybody can check it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined, Template
from sqlalchemy import Row

from aphub.domain.how_far import BY_TELEPHONE, how_far
from aphub.domain.ledger import read_statement
from aphub.domain.wording import moment_words
from aphub.services.desk import Desk
from aphub.services.recording import origin_of


@dataclass(slots=True)
class Sent:
    """The documents that a folder holds, and how many messages' documents it does not hold, by the reason."""

    files: dict[str, bytes] = field(repr=False, default_factory=dict)
    messages: int = 0
    tell_of_others: int = 0
    gone: int = 0
    too_many: int = 0

    def not_here(self) -> list[str]:
        """Say which documents are not in the folder, and why."""
        why = (
            (self.tell_of_others, "tells of other pupils too; ask for the school, the day or the term"),
            (self.gone, "erased, or past the time for which messages are kept"),
            (self.too_many, "more than one folder holds; ask for fewer days"),
        )
        return [f"{_messages(count)} as sent: {words}." for count, words in why if count]


def _messages(count: int) -> str:
    return "1 message" if count == 1 else f"{count} messages"


def pages(
    desk: Desk,
    title: str,
    messages: Sequence[Row[Any]],
    owed: Sequence[Row[Any]],
    statements: dict[int, bytes],
    openings: int,
    sent: Sent,
    with_record: bool = False,  # noqa: FBT001, FBT002 - whether the page names the record's folder
) -> dict[str, bytes]:
    """Make index.html and README.txt."""
    provider = desk.config.provider
    phoned = {row.reference for row in messages if how_far("handed_over", row.adapter) == BY_TELEPHONE}
    values = {
        "title": title,
        "provider": provider.name,
        "origin": origin_of(desk),
        "made": moment_words(desk.now),
        "openings": openings,
        "documents": _messages(sent.messages) if sent.messages else "",
        "not_here": sent.not_here(),
        "with_record": with_record,
        "messages": [_message(desk, row) for row in messages],
        "missed": [row for row in owed if row.missed_told_at is not None],
        "said": [(number, _sentence(leaf, phoned)) for number, leaf in sorted(statements.items())],
        "moment": moment_words,
        "names": {slug: one.name for slug, one in desk.config.organisations.items()},
    }
    return {
        "index.html": _template("evidence.html").render(values).encode(),
        "README.txt": _template("evidence.txt").render(values).encode(),
    }


def _message(desk: Desk, row: Row[Any]) -> dict[str, str]:
    organisation = desk.config.organisations.get(row.organisation)
    return {
        "reference": row.reference,
        "to": organisation.name if organisation else row.organisation,
        "channel": row.channel,
        "made": moment_words(row.prepared_at),
        "due": moment_words(row.due_by),
        "sent": moment_words(row.handed_over_at) if row.handed_over_at else "not sent",
        "rung": how_far(row.rung, row.adapter, row.because),
        "late": "late" if row.handed_over_at and row.handed_over_at > row.due_by else "",
    }


SAID = {
    "report.prepared": "a message was made",
    "dispatch.handed_over": "their server took it",
    "dispatch.accepted": "their system has it",
    "dispatch.confirmed": "a person there said that they have it",
    "dispatch.refused": "their system rejected it",
    "dispatch.bounced": "it came back",
    "dispatch.uncertain": "it may have arrived; the answer was lost",
    "dispatch.expired": "it was too late to be useful",
    "report.missed": "a report was owed and had not been handed over",
    "report.withdrawn": "a report was withdrawn",
    "decision.recorded": "a school's own decision was kept",
    "lessons.cancelled": "we cancelled lessons",
    "case.raised": "a case was opened about a pupil",
    "case.acknowledged": "a person took the case on",
    "step.done": "a step of a case was ended",
    "step.overdue": "a step of a case was overdue",
    "call.made": "a person telephoned",
    "channel.approved": "a second person approved this way to the school or council",
    "channel.changed": "the way to the school or council changed",
    "channel.removed": "the way to the school or council was taken out",
    "channel.paused": "the way to the school or council was paused",
    "channel.resumed": "the way to the school or council was used again",
    "test.sent": "a TEST message was sent",
    "old_address.told": "the old address was told that the way changes",
    "office.told": "our own office was mailed what waits for a person, or figures",
    "settled.by_person": "a person said what became of it",
    "intake.taken": "a register was taken in",
    "snapshot.published": "a configuration was published",
    "epoch.started": "the log goes on after a restore",
    "record.erased": "a pupil's record was erased",
    "class.purged": "records were deleted at the end of their time",
    "hold.placed": "a record was put under a legal hold",
    "hold.ended": "a legal hold ended",
    "contact.changed": "who may be reached at home was changed",
    "record.noted": "a note was added to the record",
    "disclosure.recorded": "a message to the wrong school was recorded",
    "disclosure.deleted": "the wrong school said that they deleted it",
    "disclosure.decided": "it was decided whether to report the disclosure",
    "keys.copy_gone": "a copy of the keys was said to be gone",
    "provider.closed": "the provider left, and its keys were destroyed",
}
"""What each kind of statement says, as people read it."""

_ABOUT = (
    "dispatch",
    "owed",
    "about",
    "channel",
    "step",
    "case",
    "decision",
    "cancellation",
    "note",
    "disclosure",
    "hold",
)
"""The field of a statement that says what it is about: the first of these that it has."""


def _sentence(leaf: bytes, phoned: set[str]) -> dict[str, str]:
    said = read_statement(leaf)
    about = next((said[name] for name in _ABOUT if name in said), "")
    if about == said.get("channel"):
        about = f"{said['organisation']} {about}"
    words = SAID[said["type"]]
    if said["type"] == "dispatch.handed_over" and about in phoned:
        words = BY_TELEPHONE
    return {"at": str(said["at"]), "about": str(about), "words": words}


@cache
def _template(name: str) -> Template:
    loader = PackageLoader("aphub.services", "templates")
    escape = name.endswith(".html")
    environment = Environment(
        loader=loader,
        autoescape=escape,  # noqa: S701 - the text page is text
        undefined=StrictUndefined,
        auto_reload=False,
        keep_trailing_newline=True,
    )
    return environment.get_template(name)
