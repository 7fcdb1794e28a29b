"""The words of a wrong disclosure: what to say on the phone, what to write, and the record for the regulator's rules.

No name of a pupil stands in any of them: they leave the building.
"""

from dataclasses import dataclass
from datetime import datetime

from aphub.domain.wording import moment_words

ICO = "https://ico.org.uk/for-organisations/report-a-breach/"


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of a disclosure, without a name."""

    ref: str
    reference: str
    provider: str
    phone: str
    lead: str
    lead_phone: str
    school: str
    school_phone: str
    sent_at: datetime | None
    aware_at: datetime
    report_by: datetime
    by: str
    pupils: int
    reports: tuple[str, ...]
    placements: tuple[str, ...]
    periods: tuple[str, ...]
    kinds: tuple[str, ...]
    way: str
    protection: str


def drafts(facts: Facts) -> dict[str, str]:
    """Write every draft, by file name, in the order in which they are needed."""
    return {
        "1-what-to-do.txt": _steps(facts),
        "2-ask-them-to-delete.txt": _recall(facts),
        "3-tell-the-right-school.txt": _right_school(facts),
        "4-breach-record.txt": _record(facts),
    }


def _sent(facts: Facts) -> str:
    return moment_words(facts.sent_at) if facts.sent_at else "it may have arrived; we are not sure"


def _steps(facts: Facts) -> str:
    lead = f"{facts.lead}{', ' + facts.lead_phone if facts.lead_phone else ''}"
    return f"""Wrong school: {facts.reference} to {facts.school}. Our record: {facts.ref}

Already done: nothing more is sent to {facts.school} until you resume it. The time you noticed is kept.

1. Now: phone the safeguarding lead, {lead}.
   Could anybody at {facts.school} be a danger to {"this pupil" if facts.pupils == 1 else f"one of these {facts.pupils} pupils"}? Then act on that first.
2. Phone {facts.school}{", " + facts.school_phone if facts.school_phone else ""}. Read out text 2. A mail cannot be called back, and we do not pretend that it can.
   When they say it is deleted: aphub wrong-school {facts.reference} --deleted "who said so"
3. Today: tell the right school or council, and whoever else decides about these data (text 3).
4. By {moment_words(facts.report_by)}: decide with your data protection officer whether to tell the ICO. That is 72 hours
   after {moment_words(facts.aware_at)} (UK GDPR article 33). Text 4 is your record, also when you decide not to.
   Then: aphub wrong-school {facts.reference} --reported   or   --not-reported "why"
5. Until you resume, {facts.school} hears of its own pupils from you, by phone: what falls due is listed in aphub waiting.
6. Find out why. Correct who is told (aphub import) or where (the school's file), and only then: aphub resume
"""


def _recall(facts: Facts) -> str:
    return f"""To read out on the phone, and then to send to {facts.school}

This is {facts.provider}, {facts.phone}. A message with the reference {facts.reference} reached you by mistake ({_sent(facts)}).
It is about {facts.pupils} {"pupil" if facts.pupils == 1 else "pupils"} who {"is" if facts.pupils == 1 else "are"} not placed by you.

Please do not open, forward, print or copy it. Please delete it from the mailbox, the deleted items, any download and any
system it was put into, and destroy prints. Please tell us who may have read it, and confirm by reply: "Deleted, {facts.reference}",
with your name. We are sorry, and thank you.
"""


def _right_school(facts: Facts) -> str:
    return f"""To the school or council that placed the pupils (one to each, about their own pupils only)

At {moment_words(facts.aware_at)} we noticed that a report about [how many] of your pupils went to an organisation that
did not place them ({_sent(facts)}). It held: {", ".join(facts.kinds)}.
Nothing more goes there from us. [Once it is so: They confirmed that it is deleted.] [Once it is so: Our safeguarding
lead, {facts.lead}, has looked at the risk to each child.] Placement references [theirs only]: {", ".join(facts.placements) or "see our record"}.
Phone us: {facts.phone}. Our reference: {facts.ref}.
"""


def _record(facts: Facts) -> str:
    return f"""Record of a personal data breach (UK GDPR article 33(5)) - DRAFT for the data protection officer

Our reference                {facts.ref}
Noted by                     {facts.by}
Became aware                 {moment_words(facts.aware_at)}
72 hours end                 {moment_words(facts.report_by)}
What happened                A report reached an organisation that it was not meant for.
Message                      {facts.reference}, sent: {_sent(facts)}
Reached                      {facts.school}, by {facts.way}
Protection on the way        {facts.protection}
Pupils concerned             {facts.pupils}
Reports concerned            {len(facts.reports)}: {", ".join(facts.reports)}
Placements                   {", ".join(facts.placements)}
Periods                      {"; ".join(facts.periods)}
Kinds of data                {", ".join(facts.kinds)}
Stopped                      every way to {facts.school} was paused when this was recorded
Likely consequences          to be judged: can the child's whereabouts be misused? by whom?
Measures                     deletion asked for; cause to be found and removed
Told the right school        when, by whom:
Told the pupils or parents   needed where the risk is high (article 34): when, by whom, or why not:
Decision about the ICO       reported / not reported, because:
ICO's form                   {ICO}
"""
