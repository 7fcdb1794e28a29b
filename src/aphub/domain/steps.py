"""What people do about a pupil: a fixed list of acts, with the words for who does them and for who is told."""

from dataclasses import dataclass

from aphub.domain.choices import Choice
from aphub.domain.deadlines import Deadline


class Act(Choice):
    """What a step asks a person to do; the list is fixed, since what was done is told to schools in these words."""

    PHONE_HOME = "phone_home"
    TEXT_HOME = "text_home"
    EMAIL_HOME = "email_home"
    VISIT_HOME = "visit_home"
    PHONE_EMERGENCY_CONTACTS = "phone_emergency_contacts"
    PHONE_SCHOOL = "phone_school"
    PHONE_COUNCIL = "phone_council"
    TELL_SAFEGUARDING_LEAD = "tell_safeguarding_lead"
    TELL_LEADERSHIP = "tell_leadership"
    SEARCH = "search"
    CALL_999 = "call_999"
    TELL_POLICE = "tell_police"
    WELFARE_VISIT = "welfare_visit"
    LETTER_HOME = "letter_home"
    OFFER_WORK = "offer_work"
    TAKE_REGISTER = "take_register"
    TALK_TO_PUPIL = "talk_to_pupil"
    MEET = "meet"
    MAKE_PLAN = "make_plan"
    REVIEW_PLAN = "review_plan"
    REVIEW_RISK = "review_risk"
    WRITE_RECORD = "write_record"
    ACKNOWLEDGE = "acknowledge"
    REFER = "refer"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class ActWords:
    """An act in words: as a task, and as done. Without `done` it stays within the provider."""

    task: str
    done: str = ""


ACT_WORDS = {
    Act.PHONE_HOME: ActWords("Phone home", "phoned home"),
    Act.TEXT_HOME: ActWords("Text home", "texted home"),
    Act.EMAIL_HOME: ActWords("Email home", "emailed home"),
    Act.VISIT_HOME: ActWords("Visit home", "visited home"),
    Act.PHONE_EMERGENCY_CONTACTS: ActWords("Phone the emergency contacts", "phoned the emergency contacts"),
    Act.PHONE_SCHOOL: ActWords("Phone the school", "phoned the school"),
    Act.PHONE_COUNCIL: ActWords("Phone the council", "phoned the council"),
    Act.TELL_SAFEGUARDING_LEAD: ActWords("Tell the safeguarding lead", "told our safeguarding lead"),
    Act.TELL_LEADERSHIP: ActWords("Tell the leadership", "told our leadership"),
    Act.SEARCH: ActWords("Search the site and near it", "searched our site"),
    Act.CALL_999: ActWords("Call 999", "called 999"),
    Act.TELL_POLICE: ActWords("Tell the police", "told the police"),
    Act.WELFARE_VISIT: ActWords("Arrange a welfare visit", "arranged a welfare visit"),
    Act.LETTER_HOME: ActWords("Check the letter home and release it", "wrote to the parents"),
    Act.OFFER_WORK: ActWords("Offer work at home or online", "offered work to do at home"),
    Act.TAKE_REGISTER: ActWords("Take the register"),
    Act.TALK_TO_PUPIL: ActWords("Talk with the pupil"),
    Act.MEET: ActWords("Meet"),
    Act.MAKE_PLAN: ActWords("Make a plan"),
    Act.REVIEW_PLAN: ActWords("Review the plan"),
    Act.REVIEW_RISK: ActWords("Review the risk assessment"),
    Act.WRITE_RECORD: ActWords("Write the record"),
    Act.ACKNOWLEDGE: ActWords("Read it and acknowledge it"),
    Act.REFER: ActWords("Refer"),
    Act.OTHER: ActWords("Do"),
}
"""Every act as a task and, where schools are told of it, as "what we have done"."""

FOUND_SAFE = "found safe"
"""What is told of a pupil who left the site and was found."""

TOLD_CANCELLED = "told home that our lesson is cancelled"
"""What is told of a home that was asked where a pupil is whose lesson we cancelled; its result says where."""

AT_HOME = frozenset({Act.PHONE_HOME, Act.PHONE_EMERGENCY_CONTACTS, Act.TEXT_HOME, Act.EMAIL_HOME})
"""Acts whose aim is that somebody at home answers."""

BY_PHONE = frozenset({Act.PHONE_HOME, Act.PHONE_EMERGENCY_CONTACTS, Act.PHONE_SCHOOL, Act.PHONE_COUNCIL})
"""Acts that are telephone calls: each try is recorded, and a voicemail is no answer."""


class Until(Choice):
    """What ends a step without its being done."""

    EXPLAINED = "explained"
    REACHED = "reached"
    CONFIRMED = "confirmed"
    DONE = "done"


class Only(Choice):
    """What must be so for a step to be raised at all."""

    RISK_KNOWN = "risk_known"
    NOT_ON_A_ROLL = "not_on_a_roll"
    ON_A_ROLL = "on_a_roll"
    COUNCIL_ARRANGED = "council_arranged"
    SCHOOL_ARRANGED = "school_arranged"


@dataclass(frozen=True, slots=True)
class Step:
    """One rung of a ladder: what to do, whose it is, by when, and what becomes of it when nobody does it.

    `opens` is when it comes up; without it, as soon as the ladder is raised. `until` EXPLAINED ends it once what raised
    it no longer holds, REACHED also once somebody at home has answered, CONFIRMED also once the school says it has the
    message; DONE leaves it open until a person did it. `if_not_done` is the role that is told of it once it is overdue.
    `together` says that one call is about all pupils of a day for whom the step is open.
    """

    name: str
    do: Act
    by: Deadline
    owner: str
    opens: Deadline | None = None
    say: str = ""
    record: str = ""
    until: Until = Until.EXPLAINED
    only: tuple[Only, ...] = ()
    if_not_done: str = ""
    letter: str = ""
    together: bool = False

    @property
    def words(self) -> str:
        """Say what to do."""
        task = ACT_WORDS[self.do].task
        if self.do is Act.OTHER and self.say:
            return self.say
        return f"{task}: {self.say}" if self.say else task
