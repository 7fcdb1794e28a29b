"""Rows and deliveries for adapters that write into a school's register."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

from aphub.api.adapters import Delivery, RouteSettings
from aphub.api.mis import document_of, marks_of
from aphub.domain.reports import COLUMNS, Row
from aphub.testing.samples import SAMPLE_DAY, SAMPLE_NOW, sample_reference

REGISTER_CODES = frozenset({"B", "N", "L", "I", "/"})
"""What the sample school signed for, in tests of registers."""


def sample_row(upn: str = "G999400125001", session: str = "AM", code: str = "B", **changes: str) -> Row:
    """Give one row about a pupil's morning (or afternoon); `changes` replace any other column."""
    return dict.fromkeys(COLUMNS, "") | {
        "reference": f"RB-{sample_reference('register')}-1",
        "upn": upn,
        "date": SAMPLE_DAY.isoformat(),
        "session": session,
        "outcome": "present",
        "suggested_code": code,
        **changes,
    }


def register_delivery(
    route: RouteSettings,
    *rows: Row,
    key: str = "k1",
    comment: bool = True,
    row_reports: tuple[str, ...] = (),
    **changes: Any,
) -> Delivery:
    """Give a delivery of rows; each row is a report of its own unless `row_reports` names them."""
    names = row_reports or tuple(f"R{number}" for number in range(1, len(rows) + 1))
    delivery = Delivery(
        key=key,
        thread_ref=sample_reference("register"),
        deadline=SAMPLE_NOW + timedelta(hours=4),
        route=route,
        documents=(document_of("aphub.json", marks_of(rows, comment=comment), test=False),),
        rows=rows,
        reports=tuple(dict.fromkeys(names)),
        row_reports=names,
        may_write=REGISTER_CODES,
    )
    return replace(delivery, **changes)
