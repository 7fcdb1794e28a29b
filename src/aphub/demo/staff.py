"""What people do on the played day, as they would at the command line: they phone, take cases on, release, print, keep."""

from collections.abc import Callable, Sequence
from datetime import datetime

from aphub.demo.day import FRIDAY, MONDAY, TUESDAY, Happening, at
from aphub.demo.folder import Folder
from aphub.domain.calls import CallResult
from aphub.domain.errors import AphubError
from aphub.domain.outcomes import ReasonKind
from aphub.domain.stretches import Every
from aphub.hub import Hub
from aphub.services import (
    actions,
    calling,
    case_acts,
    case_views,
    letters_home,
    not_due,
    receipts,
    sheet,
    telling_by_phone,
    waits,
)
from aphub.services.audits import Wanted, audit
from aphub.services.calling import Call
from aphub.services.case_views import CaseView, StepLine
from aphub.services.evidence import Checked
from aphub.services.overview import LogFilter, log
from aphub.services.papers import keep, printable
from aphub.services.reminders import CHASED, REMINDER
from aphub.services.summaries import Asked, summary

LEAD, TUTOR = "Jo Weaver, attendance lead", "Dee Farrow, duty lead"
LINK_WORKER = "Sky Barnes, family link worker"
OFFICE = "Robin Marsh, attendance lead"
AT_THE_SCHOOL = "Kim Archer, attendance officer"
MISSING, ABSCONDED, THIRD_DAY = "7103", "5202", "6304"


class NobodyActedError(AphubError):
    """What a person was to act on is not there; on a real day nobody would have been told either."""


class Staff:
    """The people at the providers, with the hub before them and a folder for their papers."""

    def __init__(self, hub: Hub, folder: Folder) -> None:
        """Sit them down before a hub."""
        self._hub, self._folder = hub, folder

    def acts(self) -> Sequence[Happening]:
        """Give what they do."""
        return (
            Happening(
                at("15:30", MONDAY),
                "SENtre prints tomorrow's register, for a day without the hub",
                lambda _: self._print_sheet(),
            ),
            Happening(
                at("15:45", MONDAY),
                "Orchard School is closed tomorrow: its pupils come all the same",
                lambda _: self._answer_closure(),
            ),
            *(
                Happening(
                    at("16:30", day), "What comes round has been done, and is ticked off", self._tick_off
                )
                for day in (FRIDAY, MONDAY, TUESDAY)
            ),
            Happening(
                at("09:08"),
                "CST AEP phones Pier School, which repeats the message",
                lambda _: self._phone_school("cst", "pier-school"),
            ),
            Happening(
                at("09:41"),
                "YPM: the attendance lead takes a case on",
                lambda _: self._take_on("ypm", MISSING),
            ),
            Happening(
                at("09:43"),
                "YPM phones home: a machine, which is told nothing",
                lambda _: self._phone_home(CallResult.VOICEMAIL),
            ),
            Happening(
                at("09:51"),
                "YPM phones again: ill, and safe",
                lambda _: self._phone_home(CallResult.ANSWERED),
            ),
            Happening(
                at("11:00"),
                "Red Everywhere reads the letter of the third day and lets it go",
                lambda _: self._release_letter(),
            ),
            Happening(
                at("13:50"),
                "CST AEP: found and safe; whoever was told is told this too",
                lambda _: self._found_safe(),
            ),
            Happening(
                at("16:00"), "Summaries of day and week, and an audit's paper", lambda _: self._write_papers()
            ),
        )

    def write_evidence(self) -> dict[str, Checked]:
        """Write each provider's proof of the day, and check it as a stranger would, without the hub."""
        found = {}
        for desk in self._hub.desks():
            folder = self._folder.evidence / desk.slug
            receipts.evidence(desk, TUESDAY.isoformat(), folder)
            found[desk.slug] = receipts.verify_folder(folder)
        return found

    def _print_sheet(self) -> None:
        made = sheet.make_sheet(self._hub.desk("sentre"), TUESDAY)
        keep(made.paper, self._folder.papers, ("html",))

    def _answer_closure(self) -> None:
        for provider, who in (("sentre", OFFICE), ("cst", TUTOR)):
            not_due.answer_closure(self._hub.desk(provider), "orchard-school", TUESDAY, who)

    def _tick_off(self, _: datetime) -> None:
        for desk in self._hub.desks():
            for one in waits.waiting(desk):
                if one.kind in {REMINDER, CHASED}:
                    who = one.words.partition(":")[0]
                    actions.finish_task(desk, one.ref, who)

    def _phone_school(self, provider: str, organisation: str) -> None:
        desk = self._hub.desk(provider)
        waits = LogFilter(organisation=organisation, states=("waiting",), channel="telephone")
        for line in log(desk, waits):
            call = Call(CallResult.ANSWERED, TUTOR, answered_by=AT_THE_SCHOOL, repeated=True)
            telling_by_phone.call_about_message(desk, line.reference, call)
            return
        raise NobodyActedError(f"Nothing waits to be phoned to {organisation}.")

    def _take_on(self, provider: str, pupil: str) -> None:
        case_acts.acknowledge(self._hub.desk(provider), self._case(provider, pupil).line.ref, LEAD)

    def _phone_home(self, result: CallResult) -> None:
        answered = result is CallResult.ANSWERED
        call = Call(
            result,
            LEAD,
            answered_by="the mother" if answered else "",
            said="In bed with a cold, back on Thursday" if answered else "",
            safe=answered,
            reason=ReasonKind.ILL if answered else None,
        )
        step = self._step("ypm", MISSING, lambda one: bool(one.next_call))
        calling.call_about_step(self._hub.desk("ypm"), step.ref, call)

    def _release_letter(self) -> None:
        desk = self._hub.desk("red-everywhere")
        step = self._step("red-everywhere", THIRD_DAY, lambda one: bool(one.letter))
        released = letters_home.release(desk, step.ref, LINK_WORKER)
        path = self._folder.papers / f"letter-{released.ref}.txt"
        path.write_text(f"{released.subject}\n\n{released.body.strip()}\n", encoding="utf-8")

    def _found_safe(self) -> None:
        said = "In the library next door"
        case_acts.found_safe(self._hub.desk("cst"), self._case("cst", ABSCONDED).line.ref, TUTOR, said=said)

    def _write_papers(self) -> None:
        forms = printable() or ("html",)
        ypm, sentre, cst = (self._hub.desk(slug) for slug in ("ypm", "sentre", "cst"))
        papers = (
            summary(ypm, Asked(Every.DAY, TUESDAY, LEAD)),
            summary(sentre, Asked(Every.WEEK, TUESDAY, OFFICE, organisation="hill-school")),
            audit(sentre, "registers", Wanted(Every.WEEK, TUESDAY, OFFICE)),
            audit(cst, "correspondence", Wanted(Every.WEEK, TUESDAY, TUTOR)),
        )
        for paper in papers:
            keep(paper, self._folder.papers, forms)

    def _case(self, provider: str, pupil: str) -> CaseView:
        desk = self._hub.desk(provider)
        for line in case_views.cases_on(desk, TUESDAY):
            if line.pupil_ref == pupil:
                return case_views.case_view(desk, line.ref, LEAD)
        raise NobodyActedError(f"There is no case of {pupil}.")

    def _step(self, provider: str, pupil: str, wanted: Callable[[StepLine], bool]) -> StepLine:
        for step in self._case(provider, pupil).steps:
            if step.state in {"open", "later"} and wanted(step):
                return step
        raise NobodyActedError(f"There is no such step for {pupil}.")
