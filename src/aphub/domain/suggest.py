"""Which register code a school should consider for a fact, and why: total, and never a guess.

The provider states facts; the school decides. Sources: SI 2024/208 regs 10 and 11 and the guidance
"Working together to improve school attendance" (August 2024). The rule numbers (S1 to S13) in the
comments stand beside each case of the golden table in the tests.
"""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from functools import lru_cache

from aphub.domain.codes import CodeSet, code_set_on
from aphub.domain.entries import Fact, Half, Suggestion
from aphub.domain.outcomes import DECIDED_BY_SCHOOL, Mode, Outcome, ReasonKind
from aphub.domain.placements import ArrangedBy, Nature, Purpose, Registration, Standing
from aphub.domain.suggest_words import ABSENCES, ARRANGED, DUAL_ABSENCE, NO_CODE, NO_LONGER_E, UNDECIDED

LONGEST_REGISTER = 30
"""Minutes for which a register may stay open at most ("Working together", August 2024)."""


class _Coming(StrEnum):
    """How a pupil who attended came and went, as far as it decides a code."""

    ON_TIME = "on time"
    LATE = "late, minutes not known"
    IN_TIME = "late, before the register closed"
    AFTER_CLOSE = "late, after the register closed"
    LEFT_EARLY = "left early"
    UNEXPECTED = "not due"


_ATTENDED_AS = {
    Outcome.PRESENT: _Coming.ON_TIME,
    Outcome.LATE: _Coming.LATE,
    Outcome.LEFT_EARLY: _Coming.LEFT_EARLY,
    Outcome.ARRIVED_UNEXPECTED: _Coming.UNEXPECTED,
    Outcome.TAUGHT_AT_HOME: _Coming.ON_TIME,
}
_COMING_WORDS = {
    _Coming.ON_TIME: "",
    _Coming.LATE: ", came late",
    _Coming.IN_TIME: ", came late",
    _Coming.AFTER_CLOSE: ", came late",
    _Coming.LEFT_EARLY: ", left early",
    _Coming.UNEXPECTED: ", though not due here",
}
_ACTIVITIES = {
    Nature.SPORT: ("P", " a sporting activity"),
    Nature.WORK_EXPERIENCE: ("W", " work experience"),
}
_EDUCATED_OFF_SITE = frozenset({"B", "b"})


def suggest(
    fact: Fact,
    *,
    arranged_by: ArrangedBy,
    registration: Registration,
    purpose: Purpose,
    nature: Nature,
    mode: Mode,
    day: date,
    reason_decided: bool = False,
    provider_has_urn: bool = False,
    half: Half | None = None,
    register_closes: int = LONGEST_REGISTER,
    provision_due: bool = False,
    standing: Standing = Standing.AGREED,
) -> Suggestion:
    """Give the code that the recipient should consider for this fact (or none), and why.

    Args:
        fact: What the provider states. Its own mode, if it says one, goes before `mode`.
        arranged_by: School (B, P, W) or council (K).
        registration: On whose roll the pupil is.
        purpose: Why this recipient is told; `OTHER_SCHOOL` is the provider as a school itself.
        nature: Sport and work experience have codes of their own when the school arranged them.
        mode: How the lesson was timetabled to be given.
        day: Decides the code set.
        reason_decided: Whether the school recorded the decision that the reason stands for.
        provider_has_urn: Whether the provider is itself a school, as D and own rolls need.
        half: Morning or afternoon: only the provider's own register needs it.
        register_closes: Minutes until the provider's own register closes, 30 at the most.
        provision_due: Whether a suspension has lasted more than five school days: E fits no more.
        standing: Whether the placement is agreed, on trial, or still waits for its referral.

    Raises:
        LawUnknownError: No code set is known for that day.
    """
    coming = _ATTENDED_AS.get(fact.outcome)
    if fact.outcome is Outcome.LATE and fact.minutes is not None:
        in_time = fact.minutes <= min(register_closes, LONGEST_REGISTER)
        coming = _Coming.IN_TIME if in_time else _Coming.AFTER_CLOSE
    return _suggest(
        fact.outcome,
        fact.reason,
        coming,
        arranged_by,
        registration,
        purpose,
        nature,
        fact.mode or mode,
        code_set_on(day),
        half,
        reason_decided,
        provider_has_urn,
        registration is Registration.DUAL and fact.provider_word in _EDUCATED_OFF_SITE,
        provision_due and fact.reason is ReasonKind.SUSPENDED,
        standing,
    )


@dataclass(frozen=True, slots=True)
class _Case:
    """What decides a code, beside the outcome and the code set."""

    reason: ReasonKind
    coming: _Coming | None
    arranged_by: ArrangedBy
    nature: Nature
    mode: Mode
    half: Half | None
    decided: bool
    wrote_b: bool
    taught_at_home: bool
    provision_due: bool


@lru_cache(maxsize=32768)
def _suggest(
    outcome: Outcome,
    reason: ReasonKind,
    coming: _Coming | None,
    arranged_by: ArrangedBy,
    registration: Registration,
    purpose: Purpose,
    nature: Nature,
    mode: Mode,
    code_set: CodeSet,
    half: Half | None,
    decided: bool,  # noqa: FBT001 - a cache takes them by place
    has_urn: bool,  # noqa: FBT001 - a cache takes them by place
    wrote_b: bool,  # noqa: FBT001 - a cache takes them by place
    provision_due: bool,  # noqa: FBT001 - a cache takes them by place
    standing: Standing,
) -> Suggestion:
    at_home = outcome is Outcome.TAUGHT_AT_HOME or mode is Mode.AT_HOME or nature is Nature.TUITION_AT_HOME
    case = _Case(reason, coming, arranged_by, nature, mode, half, decided, wrote_b, at_home, provision_due)
    if half is Half.OUTSIDE:  # S1: an activity earns a code only during a session, reg 10(11)
        found = Suggestion("", "outside the school's hours: no code belongs to this lesson")
    elif registration is Registration.NO_ROLL:  # S2: no register, no code
        found = Suggestion("", f"on no school's roll, so no code applies: {_plainly(outcome, case)}")
    elif purpose is Purpose.OTHER_SCHOOL and registration is Registration.HOME:  # S3
        found = Suggestion("", f"the pupil's own school keeps the register: {_plainly(outcome, case)}")
    elif outcome in NO_CODE:  # S4
        found = Suggestion("", NO_CODE[outcome])
    elif coming is not None and standing is Standing.PENDING:
        found = _pending(case)
    elif coming is not None and (mode is Mode.ONLINE or nature is Nature.ONLINE):
        found = _online(case)
    else:
        found = _by_roll(registration, purpose, outcome, case, has_urn=has_urn)
    if coming is not None and standing is Standing.TRIAL:
        found = Suggestion(found.code, f"{found.why}; trial placement", found.question, found.code_set)
    return _worded_for(purpose, found, code_set)


def _by_roll(
    registration: Registration, purpose: Purpose, outcome: Outcome, case: _Case, *, has_urn: bool
) -> Suggestion:
    """S6 to S12: whose register it is decides."""
    if registration is not Registration.HOME and not has_urn:
        return _not_a_school(registration, outcome, case)
    if registration is Registration.OWN or purpose is Purpose.OTHER_SCHOOL:
        return _own_register(case)
    return _dual(outcome, case) if registration is Registration.DUAL else _single(case)


def _pending(case: _Case) -> Suggestion:
    """S13: an activity earns a code only when the school approved it, and nobody has signed this one yet."""
    came = _COMING_WORDS[case.coming] if case.coming else ""
    return Suggestion(
        "",
        f"came here in person{came}, but the referral is not agreed yet: your school decides",
        question="Has your school agreed that this pupil starts here?",
    )


def _online(case: _Case) -> Suggestion:
    """S5: online is never attendance, also from an accredited provider, whatever else is true."""
    if case.mode is Mode.ONLINE:
        return Suggestion("", NO_CODE[Outcome.ONLINE])
    return Suggestion(
        "",
        "our records say both online and in person: no code until we know which",
        question="Was this lesson online or in person?",
    )


def _not_a_school(registration: Registration, outcome: Outcome, case: _Case) -> Suggestion:
    """S6: only a school has a roll, and a school has a URN."""
    if registration is Registration.DUAL:
        question = "Is this pupil registered at two schools? We hold no URN for the second."
    else:
        question = "On whose roll is this pupil? We hold no URN for this provider."
    return Suggestion("", f"{_plainly(outcome, case)}: no code until the roll is clear", question=question)


def _own_register(case: _Case) -> Suggestion:
    """S7: the provider is a school and keeps its own register: present, L or U, or an absence code."""
    if case.coming is None:
        return _absent(case)
    if case.taught_at_home:
        return Suggestion(
            "",
            "taught at home in person, on our own roll: we decide the code",
            question="Was this pupil taught at home by your arrangement or the council's?",
        )
    if case.coming is _Coming.LATE:
        return Suggestion(
            "",
            "came late, minutes not known: L until the register closes, U after",
            question="How many minutes after the start did the pupil come?",
        )
    if case.coming is _Coming.IN_TIME:
        return Suggestion("L", "on our register, came before it closed")
    if case.coming is _Coming.AFTER_CLOSE:
        return Suggestion("U", "on our register, came after it closed")
    words = f"on our register, attended in person{_COMING_WORDS[case.coming]}"
    if case.half is None:
        return Suggestion("", words, question="Was this a morning (/) or an afternoon (\\) session?")
    return Suggestion("/" if case.half is Half.AM else "\\", words)


def _dual(outcome: Outcome, case: _Case) -> Suggestion:
    """S8: the home school enters D for sessions due at the other school, attended or not."""
    if case.coming is _Coming.UNEXPECTED:
        return _unexpected()
    if case.coming is not None and case.taught_at_home:
        return Suggestion(
            "",
            "registered at both schools, taught at home in person: your school decides",
            question="Does D stand for a lesson at home?",
        )
    question = ""
    if case.wrote_b:
        question = "Our register says B. Is this pupil registered at both schools (D), or only at yours (B)?"
    return Suggestion("D", f"registered at both schools, {_plainly(outcome, case)}", question=question)


def _single(case: _Case) -> Suggestion:
    """S9 to S11: on the home school's roll alone: K if the council arranged it, else B, P or W."""
    if case.coming is None:
        return _absent(case)
    if case.coming is _Coming.UNEXPECTED:
        return _unexpected()
    words = ARRANGED[case.arranged_by]
    came = _COMING_WORDS[case.coming]
    if case.taught_at_home:
        if case.arranged_by is ArrangedBy.COUNCIL:
            return Suggestion("K", f"{words}, taught at home in person{came}")
        return Suggestion(
            "",
            f"{words}, taught at home in person{came}: your school decides",
            question="Does your school count teaching at home, in person, as an approved activity (B)?",
        )
    if case.arranged_by is ArrangedBy.COUNCIL:
        return Suggestion("K", f"{words}, attended in person{came}")
    code, kind = _ACTIVITIES.get(case.nature, ("B", ""))
    return Suggestion(code, f"{words}, attended{kind} in person{came}")


def _absent(case: _Case) -> Suggestion:
    """S12: by reason; what only a school decides waits for its decision (reg 11)."""
    code, words = ABSENCES[case.reason]
    if case.provision_due:
        words, question = NO_LONGER_E
        return Suggestion("", f"did not attend, {words}: your school decides", question=question)
    if case.reason in DECIDED_BY_SCHOOL and not case.decided:
        words, question = UNDECIDED[case.reason]
        return Suggestion("", f"did not attend, {words}: your school decides", question=question)
    return Suggestion(code, words)


def _unexpected() -> Suggestion:
    """Ask: an activity is approved for a session, so somebody must say that this one was."""
    return Suggestion(
        "",
        "attended in person, though not due here: your school decides",
        question="Did your school agree to this session?",
    )


def _plainly(outcome: Outcome, case: _Case) -> str:
    """Say what happened here, without speaking of a code."""
    if outcome in NO_CODE:
        return NO_CODE[outcome].partition(":")[0]
    if case.coming is None:
        return DUAL_ABSENCE.get(case.reason) or _here(ABSENCES[case.reason][1])
    if case.mode is Mode.ONLINE:
        return "took part online"
    place = "taught at home in person" if case.taught_at_home else "attended here"
    return f"{place}{_COMING_WORDS[case.coming]}"


def _here(words: str) -> str:
    """Say that an absence is one from the provider's lesson."""
    return words.replace("did not attend", "did not attend here", 1)


def _worded_for(purpose: Purpose, found: Suggestion, code_set: CodeSet) -> Suggestion:
    """Name the code set, speak to a council of "the school", and give no code that the set lacks."""
    code, why, question = found.code, found.why, found.question
    if code and code not in code_set:
        code, why = "", f"{why}: no code of that day is certain, your school decides"
    if purpose is Purpose.COUNCIL:
        why, question = (words.replace("your school", "the school") for words in (why, question))
    return Suggestion(code, why, question, code_set.name)
