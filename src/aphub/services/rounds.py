"""What goes round again and again for one provider: what is owed is worked out, what is missing noticed, sums sent."""

from aphub.services import ageing, case_sweeps, cases, endings, not_due, owe, reminders, watch
from aphub.services.desk import Desk
from aphub.services.summaries.owing import owe_summaries
from aphub.services.summaries.sending import send_summaries


def prepare(desk: Desk) -> None:
    """Keep what is owed worked out for a fortnight ahead, and ask for what people must say."""
    owe.regenerate(desk, desk.today, desk.today + owe.AHEAD)
    owe_summaries(desk)
    ageing.chase_reasons(desk)
    reminders.remind(desk)
    endings.warn(desk)
    not_due.ask_about_closures(desk)


def look_after(desk: Desk) -> None:
    """Notice what is not there, and follow up everything about which somebody may have to do something by now."""
    watch.watch(desk)
    case_sweeps.follow_registers(desk)
    case_sweeps.judge_rates(desk)
    while cases.follow_cases(desk).looked >= cases.ROWS:
        pass


def send_all_summaries(desk: Desk) -> int:
    """Send every summary that is due; give how many messages were made or rows put aside."""
    total = 0
    while made := send_summaries(desk):
        total += made
    return total
