"""What a ledger can say: kinds of statement with a version, and the fields that each must and may have."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from aphub.domain.ledger import fields as shape
from aphub.domain.ledger.canonical import read_canonical, written
from aphub.domain.ledger.errors import StatementError

Statement = Mapping[str, Any]
"""A statement as data: `type`, `version`, `at`, and the fields of its kind."""

_SELF: dict[str, shape.Field] = {"type": shape.known, "version": shape.known}
_ALWAYS: dict[str, shape.Field] = {"at": shape.instant}
_DISPATCH: dict[str, shape.Field] = {"dispatch": shape.reference, "reports": shape.hexdigests}
_FAR_SIDE: dict[str, shape.Field] = {**_DISPATCH, "attempt": shape.count, "evidence": shape.hexdigest}
_CHANNEL: dict[str, shape.Field] = {
    "organisation": shape.slug,
    "channel": shape.slug,
    "destination": shape.hexdigest,
}
_CAUSE: dict[str, shape.Field] = {"cause": shape.slug}
_BY: dict[str, shape.Field] = {"by": shape.hexdigest}


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of statement: `required` fields beside type, version and `at`, and fields it `may` have."""

    type: str
    required: Mapping[str, shape.Field]
    may: Mapping[str, shape.Field] = field(default_factory=dict)
    version: int = 1
    needs: frozenset[str] = field(init=False, repr=False)
    shapes: Mapping[str, shape.Field] = field(init=False, repr=False)
    """Every field that it may have, with its shape."""

    def __post_init__(self) -> None:
        """Put all fields together, once."""
        object.__setattr__(self, "needs", frozenset(_ALWAYS) | self.required.keys())
        object.__setattr__(self, "shapes", {**_SELF, **_ALWAYS, **self.required, **self.may})


_ALL = (
    Kind(
        "intake.taken",
        {"intake": shape.reference, "source": shape.slug, "content": shape.hexdigest, "rows": shape.count},
        {"entered": shape.count, "unchanged": shape.count, "questioned": shape.count},
    ),
    Kind("snapshot.published", {"number": shape.count, "content": shape.hexdigest}, _BY),
    Kind(
        "report.prepared",
        {**_DISPATCH, "organisation": shape.slug, "channel": shape.slug, "due": shape.instant},
        {"documents": shape.hexdigest, "snapshot": shape.count, "replaces": shape.reference},
    ),
    Kind("dispatch.handed_over", _FAR_SIDE),
    Kind("dispatch.accepted", {**_DISPATCH, "evidence": shape.hexdigest}, {"attempt": shape.count}),
    Kind("dispatch.confirmed", {**_DISPATCH, "evidence": shape.hexdigest}, _BY),
    Kind("dispatch.refused", {**_FAR_SIDE, **_CAUSE}),
    Kind("dispatch.bounced", {**_DISPATCH, **_CAUSE, "evidence": shape.hexdigest}),
    Kind(
        "dispatch.uncertain", {**_DISPATCH, **_CAUSE, "attempt": shape.count}, {"evidence": shape.hexdigest}
    ),
    Kind("dispatch.expired", {**_DISPATCH, **_CAUSE}, {"attempt": shape.count}),
    Kind("report.withdrawn", {"reports": shape.hexdigests, **_CAUSE}, {"dispatch": shape.reference}),
    # Owed and not handed over at `due`: said by the hub itself, since nobody else would know.
    Kind(
        "report.missed",
        {"owed": shape.reference, "due": shape.instant},
        {"organisation": shape.slug, **_CAUSE},
    ),
    # A school's own word, on which a code may rest: the content's digest is keyed, so it says nothing by itself.
    Kind(
        "decision.recorded",
        {"decision": shape.reference, "organisation": shape.slug, "content": shape.hexdigest},
        _BY,
    ),
    Kind("lessons.cancelled", {"cancellation": shape.reference, "lessons": shape.count}, _BY),
    # What was done about a pupil: that it was, by whom and when. What it was stays sealed.
    Kind("case.raised", {"case": shape.reference}),
    Kind("case.acknowledged", {"case": shape.reference}, _BY),
    Kind("step.done", {"case": shape.reference, "step": shape.reference, "evidence": shape.hexdigest}, _BY),
    Kind("step.overdue", {"case": shape.reference, "step": shape.reference, "due": shape.instant}),
    Kind("call.made", {"call": shape.reference, "about": shape.reference, "evidence": shape.hexdigest}, _BY),
    Kind("channel.approved", {**_CHANNEL, **_BY}),
    Kind("channel.changed", {**_CHANNEL, "before": shape.hexdigest}, _BY),
    Kind("channel.removed", _CHANNEL, _BY),
    Kind("old_address.told", {**_CHANNEL, "dispatch": shape.reference}, {"evidence": shape.hexdigest}),
    Kind(
        "office.told",
        {"dispatch": shape.reference, "destination": shape.hexdigest},
        {"things": shape.count, "evidence": shape.hexdigest},
    ),
    Kind("channel.paused", {**_CHANNEL, **_BY}),
    Kind("channel.resumed", {**_CHANNEL, **_BY}),
    Kind("test.sent", {**_CHANNEL, "dispatch": shape.reference}, {"evidence": shape.hexdigest}),
    # A restore opens a new epoch; its first statement names the newest checkpoint that anybody knows of.
    Kind("epoch.started", {"epoch": shape.count, "size": shape.count, "root": shape.hexdigest, **_CAUSE}),
    # What became of the records themselves: numbers and instants, and never whose they were.
    Kind(
        "record.erased",
        {"erasure": shape.reference, "left": shape.count, **_CAUSE},
        {"snapshot": shape.count, **_BY},
    ),
    Kind(
        "class.purged",
        {"class": shape.slug, "until": shape.instant, "records": shape.count},
        {"snapshot": shape.count, **_BY},
    ),
    Kind("hold.placed", {"hold": shape.reference, **_BY}),
    Kind("hold.ended", {"hold": shape.reference, **_BY}),
    Kind("contact.changed", {"change": shape.reference, "content": shape.hexdigest, **_BY}),
    Kind("record.noted", {"note": shape.reference, "content": shape.hexdigest, **_BY}),
    Kind(
        "disclosure.recorded",
        {
            "disclosure": shape.reference,
            **_DISPATCH,
            "organisation": shape.slug,
            "aware": shape.instant,
            "report_by": shape.instant,
            **_BY,
        },
    ),
    Kind("disclosure.deleted", {"disclosure": shape.reference, **_BY}),
    Kind(
        "disclosure.decided",
        {"disclosure": shape.reference, "as": shape.one_of("reported", "not_reported"), **_BY},
    ),
    Kind(
        "keys.copy_gone",
        {"taken": shape.instant, "until": shape.instant, "reason": shape.hexdigest, **_BY},
    ),
    Kind("provider.closed", {"keys": shape.count, **_BY}),
    Kind(
        "settled.by_person",
        {**_DISPATCH, "as": shape.one_of("handed_over", "not_handed_over", "withdrawn"), **_BY},
        {"evidence": shape.hexdigest},
    ),
)

KINDS: Mapping[tuple[str, int], Kind] = {(kind.type, kind.version): kind for kind in _ALL}
"""Every kind by type and version. A kind never changes once a ledger holds one: a new version stands beside it."""


def check_statement(statement: Statement) -> Kind:
    """Give the kind of a statement that may stand in a ledger.

    Raises:
        StatementError: the kind is unknown, or a field is missing, unknown or of another shape. The words name the
            field and never its value.
    """
    name, version = statement.get("type"), statement.get("version")
    kind = KINDS.get((name, version)) if isinstance(name, str) and type(version) is int else None
    if kind is None:
        message = "A statement of an unknown kind or version cannot stand in the ledger."
        raise StatementError(message)
    if not kind.needs <= statement.keys():
        missing = [name for name in (*_ALWAYS, *kind.required) if name not in statement]
        message = f"A statement of the kind {kind.type} lacks: {', '.join(missing)}."
        raise StatementError(message)
    for name, value in statement.items():
        fits = kind.shapes.get(name)
        if fits is None:
            # The field's name may be somebody's data too, so it is not repeated.
            message = f"A statement of the kind {kind.type} has a field that the kind does not know."
            raise StatementError(message)
        if not fits(value):
            message = (
                f"In a statement of the kind {kind.type}, the field {name} has another shape than it must."
            )
            raise StatementError(message)
    return kind


def leaf_bytes(statement: Statement) -> bytes:
    """Check a statement and write it as the ledger keeps it; raises `StatementError`."""
    check_statement(statement)
    return written(dict(statement))


def read_statement(leaf: bytes) -> dict[str, Any]:
    """Read a leaf back into a statement; raises `StatementError` where it is none of ours."""
    statement = read_canonical(leaf)
    if not isinstance(statement, dict):
        message = "A leaf of the ledger is one statement."
        raise StatementError(message)
    check_statement(statement)
    return statement
