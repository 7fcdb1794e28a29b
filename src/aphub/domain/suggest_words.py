"""The short plain words that stand beside a suggested code, for a school's attendance officer."""

from aphub.domain.outcomes import Outcome, ReasonKind
from aphub.domain.placements import ArrangedBy

ARRANGED = {
    ArrangedBy.SCHOOL: "arranged by the school",
    ArrangedBy.COUNCIL: "arranged by the council",
}

NO_CODE = {
    Outcome.LEFT_SITE: "left our site during the lesson: whereabouts first, your school decides the code",
    Outcome.AT_HOME_SCHOOL: "at your school today: your school's register says which code",
    Outcome.WORKED_AT_HOME: "worked at home, not supervised in person: no attendance code, your school decides",
    Outcome.ONLINE: "took part online: no attendance code, your school decides",
    Outcome.COULD_NOT_JOIN: "could not join online for a technical fault: no attendance code, your school decides",
    Outcome.CANCELLED: "we cancelled the lesson, not in our building: your school decides the code",
    Outcome.NOT_EXPECTED: "not due here: your school decides the code",
    Outcome.NOT_YET_TAKEN: "our register is not yet taken: no code until it is",
    Outcome.NOT_READ: "a mark in our register could not be read: no code until a person has said what it means",
    Outcome.NOT_CHECKED_AGAIN: "our mark speaks for the other half of the day: no code until somebody has looked again",
}
"""Outcomes that no code fits, whoever arranged the provision."""

ABSENCES = {
    ReasonKind.NOT_APPLICABLE: ("N", "did not attend, reason not yet known"),
    ReasonKind.UNKNOWN: ("N", "did not attend, reason not yet known"),
    ReasonKind.UNAUTHORISED: ("N", "did not attend, no reason given; our register says 'unauthorised'"),
    ReasonKind.ILL: ("I", "did not attend, ill"),
    ReasonKind.MEDICAL: ("M", "did not attend, medical or dental appointment"),
    ReasonKind.RELIGIOUS: ("R", "did not attend, religious observance"),
    ReasonKind.PARENT_TRAVELLING: ("T", "did not attend, parent travelling for work"),
    ReasonKind.NO_TRAVEL_ARRANGED: ("Q", "could not come, the council had not arranged travel"),
    ReasonKind.TRANSPORT_FAILED: ("Y1", "could not come, the usual transport did not run"),
    ReasonKind.TRAVEL_DISRUPTED: ("Y2", "could not come, widespread travel disruption"),
    ReasonKind.PREMISES_PART_CLOSED: ("Y3", "could not come, part of the school's premises closed"),
    ReasonKind.SITE_CLOSED: ("Y4", "could not come, the whole school site closed unexpectedly"),
    ReasonKind.DETAINED: ("Y5", "could not come, in criminal justice detention"),
    ReasonKind.PUBLIC_HEALTH: ("Y6", "could not come, public health guidance or law"),
    ReasonKind.UNAVOIDABLE: ("Y7", "could not come, another unavoidable cause"),
    ReasonKind.REFUSED: ("", "reason known, your school decides; consider I or O"),
    ReasonKind.LEAVE_GRANTED: ("C", "did not attend, your school granted leave"),
    ReasonKind.PERFORMANCE: ("C1", "did not attend, your school granted leave for a performance"),
    ReasonKind.PART_TIME: ("C2", "not due at school, part-time timetable agreed by your school"),
    ReasonKind.HOLIDAY: ("G", "on holiday, your school recorded it as without leave"),
    ReasonKind.SUSPENDED: ("E", "suspended by your school, no other provision made"),
    ReasonKind.INTERVIEW: ("J1", "did not attend, your school granted leave for an interview"),
    ReasonKind.STUDY_LEAVE: ("S", "did not attend, your school granted study leave"),
}
"""Code and words for a pupil who did not attend; those that only a school decides count when it has."""

UNDECIDED = {
    ReasonKind.LEAVE_GRANTED: (
        "we were told of leave",
        "Did your school grant this leave? If so, consider C.",
    ),
    ReasonKind.PERFORMANCE: (
        "we were told of a performance",
        "Did your school grant leave for this performance? If so, consider C1.",
    ),
    ReasonKind.PART_TIME: (
        "we were told of a part-time timetable",
        "Did your school agree a part-time timetable? If so, consider C2, or X under or over school age.",
    ),
    ReasonKind.HOLIDAY: (
        "we were told of a holiday",
        "Did your school grant leave? If so, consider C, otherwise G.",
    ),
    ReasonKind.SUSPENDED: (
        "we were told of a suspension",
        "Has your school suspended this pupil? If so, consider E.",
    ),
    ReasonKind.INTERVIEW: (
        "we were told of an interview",
        "Did your school grant leave for this interview? If so, consider J1.",
    ),
    ReasonKind.STUDY_LEAVE: (
        "we were told of study leave",
        "Did your school grant study leave? If so, consider S.",
    ),
}
"""Words and question where a reason is a decision that no school has recorded here."""

NO_LONGER_E = (
    "suspended for more than five school days, so provision is due and E no longer fits",
    "Which absence code fits? E stands for the first five school days of a suspension only.",
)
"""Words and question from the sixth school day of a suspension on."""

DUAL_ABSENCE = {
    ReasonKind.REFUSED: "refused to attend here",
    ReasonKind.PART_TIME: "did not attend here, part-time timetable",
    ReasonKind.HOLIDAY: "did not attend here, on holiday",
    ReasonKind.SUSPENDED: "did not attend here, suspended",
    ReasonKind.LEAVE_GRANTED: "did not attend here, leave",
    ReasonKind.PERFORMANCE: "did not attend here, performance",
    ReasonKind.INTERVIEW: "did not attend here, interview",
    ReasonKind.STUDY_LEAVE: "did not attend here, study leave",
}
"""How an absence reads beside D, where its own words speak of a code or a decision."""
