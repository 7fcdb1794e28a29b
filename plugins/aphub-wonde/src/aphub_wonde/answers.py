"""From judged marks to one answer a report; a report is only as well as its worst mark."""

import json
from collections.abc import Callable
from typing import Any

from aphub.api import Answer, Delivery, DeliveryResult, ReportResult, Rung
from aphub_wonde.marks import Verdict
from aphub_wonde.plan import Line, Plan

UNPROCESSABLE = 422
_WORST_FIRST = (
    Answer.REFUSED,
    Answer.DIFFERS,
    Answer.NOT_EXPRESSIBLE,
    Answer.PENDING,
    Answer.TAKEN,
    Answer.ALREADY_THERE,
)
Judged = tuple[Answer, str]


def pending(plan: Plan, delivery: Delivery) -> tuple[ReportResult, ...]:
    """Answer for a write that was handed over."""
    return _by_report(plan, delivery, lambda line: _said(line, (Answer.PENDING, "")), Answer.ALREADY_THERE)


def read_back(
    plan: Plan, delivery: Delivery, there: Answer, absent: Judged = (Answer.PENDING, "")
) -> tuple[ReportResult, ...]:
    """Answer from what the register shows: `there` for what it shows, `absent` for what it does not."""
    return _by_report(plan, delivery, lambda line: _said(line, absent), there)


def refused(plan: Plan, delivery: Delivery, words: str, code: str) -> DeliveryResult:
    """Answer for a write that they refused as a whole: their words stay sealed with each report."""
    results = _by_report(
        plan, delivery, lambda line: _said(line, (Answer.REFUSED, words)), Answer.ALREADY_THERE, code
    )
    rung = Rung.ACCEPTED if plan.any_there else Rung.PREPARED
    return DeliveryResult(rung, results, evidence={"answer": words, "code": code})


def for_test(delivery: Delivery, lacking: list[str]) -> DeliveryResult:
    """Answer for a TEST message: nothing is written; `lacking` names signed codes that the school's table has not."""
    words = "A register has no room for invented pupils, so a test writes nothing. Connection and permissions are proved."
    if lacking:
        words += f" The school's system lacks codes that the school signed for: {' '.join(lacking)}."
    results = tuple(ReportResult(report, Answer.NOT_EXPRESSIBLE, words) for report in delivery.reports)
    return DeliveryResult(Rung.PREPARED, results)


def verbatim(body: dict[str, Any]) -> str:
    """Give their words as they were, to be sealed."""
    return json.dumps(body, ensure_ascii=False)


def _said(line: Line, written: Judged) -> Judged | None:
    """Say what becomes of one mark; None where it already stands as we would write it."""
    if line.verdict is None:
        return Answer.NOT_EXPRESSIBLE, line.why_not
    if line.verdict is Verdict.WRITE:
        return written
    if line.verdict is Verdict.DIFFERS:
        stands = f"The register shows {line.stands} for {line.mark.day} {line.mark.session}"
        return Answer.DIFFERS, f"{stands}; we report {line.mark.code}. We did not change it."
    return None


def _by_report(
    plan: Plan,
    delivery: Delivery,
    say: Callable[[Line], Judged | None],
    there: Answer,
    code: str = "",
) -> tuple[ReportResult, ...]:
    """Fold the marks of each report into its worst answer, with the words of that answer."""
    worst: dict[str, Judged] = {}
    for line in plan.lines:
        judged = say(line) or (there, "")
        known = worst.get(line.report)
        if known is None or _WORST_FIRST.index(judged[0]) < _WORST_FIRST.index(known[0]):
            worst[line.report] = judged
    return tuple(
        ReportResult(report, answer, words, code if answer is Answer.REFUSED else "")
        for report, (answer, words) in ((report, worst[report]) for report in delivery.reports)
    )
