"""A delivery at the edge: its frozen document held against the canonical rows."""

from aphub.api.adapters import Delivery
from aphub.api.errors import DeliveryError, RefusedDeliveryError
from aphub.api.mis.marks import Mark, marks_in


def frozen_marks(delivery: Delivery) -> list[Mark]:
    """Give the frozen marks, one a row, after looking that they are those of the rows.

    Raises:
        RefusedDeliveryError: Document and rows do not speak of the same sessions: a fault of ours.
    """
    try:
        marks = marks_in(delivery.documents)
    except (ValueError, KeyError, TypeError):
        marks = []
    stated = [
        (row["upn"], row["date"], row["session"], row["suggested_code"], row["reference"])
        for row in delivery.rows
    ]
    if not marks or stated != [(m.upn, m.day, m.session, m.code, m.reference) for m in marks]:
        raise RefusedDeliveryError(
            "The prepared marks are not those of the report, so we stopped. Nothing was written.",
            code="document",
            what_now="Tell us the reference; the report goes by the next channel",
        )
    return marks


def is_test(delivery: Delivery) -> bool:
    """Say whether invented pupils are meant; two signs are looked for, since a register is not a place for them."""
    return delivery.test or any(row["outcome"].startswith("TEST ") for row in delivery.rows)


def marks_or_refusal(delivery: Delivery) -> list[Mark] | DeliveryError:
    """Give a delivery's marks for reading ahead; one that cannot be read harms no other."""
    try:
        return frozen_marks(delivery)
    except DeliveryError as exc:
        return exc
