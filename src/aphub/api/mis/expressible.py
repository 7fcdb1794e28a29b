"""Which reports a register can hold, said before anything is tried."""

from aphub.api.mis.marks import SESSIONS
from aphub.domain.identifiers import check_upn
from aphub.domain.reports import Report


def why_not(report: Report, may_write: frozenset[str]) -> str:
    """Say why a register cannot be told this report; empty when it can.

    A pupil must be on that school's own roll: councils and other schools have no register of theirs to write in.
    """
    if not may_write:
        return "This school has signed for no code, so we write nothing in its register."
    if report.purpose.value != "home_school":
        return "The pupil is not on this organisation's own roll, so it has no register entry to write."
    if not check_upn(report.upn).usable:
        return "The pupil has no usable UPN, and a register is found by UPN only."
    if not report.sessions:
        return "The report states no session."
    for session in report.sessions:
        where = f"{session.day:%d/%m/%Y} {session.half.value}"
        code = session.suggestion.code
        if session.half.value not in SESSIONS:
            return f"{session.day:%d/%m/%Y} has a lesson outside the school's hours, which has no session."
        if session.disagreement or session.suggestion.question:
            return f"{where} holds a question for a person, which a register cannot ask."
        if not code:
            return f"{where} has no code to write, only words."
        if code not in may_write:
            return f"{where} has the code {code}, which this school has not signed for."
    return ""
