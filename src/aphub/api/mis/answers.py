"""From judged marks to one answer a report; a report is only as well as its worst mark."""

from collections.abc import Callable, Sequence

from aphub.api.adapters import Answer, Delivery, DeliveryResult, ReportResult, Rung
from aphub.api.mis.marks import Slot, Verdict
from aphub.api.mis.plan import Line, Plan
from aphub.api.mis.register import Written

_LONGEST_REFERENCE = 120
_WORST_FIRST = (
    Answer.REFUSED,
    Answer.DIFFERS,
    Answer.NOT_EXPRESSIBLE,
    Answer.PENDING,
    Answer.TAKEN,
    Answer.ALREADY_THERE,
)
Judged = tuple[Answer, str]


def written(plan: Plan, delivery: Delivery, said: Sequence[Written]) -> DeliveryResult:
    """Answer for marks that were sent: what they turned away is refused in their words, the rest is handed over."""
    turned_away: dict[Slot, str] = {}
    evidence: dict[str, str] = {}
    for number, one in enumerate(said):
        turned_away |= one.refused
        evidence |= {f"{key} {number + 1}" if number else key: text for key, text in one.evidence.items()}
    code = next((one.code for one in said if one.code), "")

    taken: Judged = (Answer.PENDING, "")

    def say(line: Line) -> Judged | None:
        if turned_away and line.verdict is Verdict.WRITE and line.slot in turned_away:
            return Answer.REFUSED, turned_away[line.slot]
        return _said(line, taken)

    results = _by_report(plan, delivery, say, Answer.ALREADY_THERE, code)
    arrived = any(line.slot not in turned_away for line in plan.to_write)
    rung = Rung.HANDED_OVER if arrived else Rung.ACCEPTED if plan.any_there else Rung.PREPARED
    hops = next((one.hops for one in said if one.hops), "")
    return DeliveryResult(rung, results, _joined(said), evidence, hops)


def read_back(
    plan: Plan, delivery: Delivery, there: Answer, absent: Judged = (Answer.PENDING, "")
) -> tuple[ReportResult, ...]:
    """Answer from what the register shows: `there` for what it shows, `absent` for what it does not."""
    return _by_report(plan, delivery, lambda line: _said(line, absent), there)


def for_test(delivery: Delivery, lacking: list[str]) -> DeliveryResult:
    """Answer for a TEST message: nothing is written; `lacking` names signed codes that the school's table has not."""
    words = "A register has no room for invented pupils, so a test writes nothing. Connection and permissions are proved."
    if lacking:
        words += f" The school's system lacks codes that the school signed for: {' '.join(lacking)}."
    results = tuple(ReportResult(report, Answer.NOT_EXPRESSIBLE, words) for report in delivery.reports)
    return DeliveryResult(Rung.PREPARED, results)


def _said(line: Line, written: Judged) -> Judged | None:
    """Say what becomes of one mark; None where it already stands as we would write it."""
    if line.verdict is None:
        return Answer.NOT_EXPRESSIBLE, line.why_not
    if line.verdict is Verdict.WRITE:
        return written
    if line.verdict is Verdict.DIFFERS:
        stands = f"The register shows {line.stands} for {line.mark.day} {line.mark.session}"
        return Answer.DIFFERS, f"{stands}; we report {line.mark.code}. We did not change it."
    return (Answer.REFUSED, line.trouble) if line.trouble else None


def _joined(said: Sequence[Written]) -> str:
    """Give as many of their references as a receipt holds; marks of the others are known by reading them back."""
    joined = ""
    for one in said:
        more = f"{joined} {one.reference}".strip()
        if len(more) <= _LONGEST_REFERENCE:
            joined = more
    return joined


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
        known = worst.setdefault(line.report, judged)
        if known is not judged and _WORST_FIRST.index(judged[0]) < _WORST_FIRST.index(known[0]):
            worst[line.report] = judged
    results = []
    for report in delivery.reports:
        answer, words = worst[report]
        results.append(ReportResult(report, answer, words, code if answer is Answer.REFUSED else ""))
    return tuple(results)
