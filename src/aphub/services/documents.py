"""The built-in renderers: a mail's text, complete on its own, the same as one-column HTML, and a summary's files."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache
from html import escape
from typing import NamedTuple

from jinja2 import Environment, PackageLoader, StrictUndefined, Template
from markupsafe import Markup

from aphub.api.hooks import hookimpl
from aphub.api.renderers import Renderer, subject_of
from aphub.domain.entries import SessionEntry
from aphub.domain.papers import Paper
from aphub.domain.reports import Kind, Message, Report, all_attended, asks_for_action
from aphub.domain.wording import HALF_WORDS, action_words, code_words, line_words, moment_words, time_words
from aphub.services.papers import as_mail_body, as_text, printable
from aphub.services.papers.pdf import as_pdf
from aphub.services.papers.sheets import XLSX, as_workbook

Sessions = tuple[SessionEntry, ...]
COLUMNS = 78
_SHARED = 200  # stretches of sessions whose words are kept at hand
ACTION_NEEDED, REASON_KNOWN, ATTENDED = "ACTION NEEDED", "NOT HERE IN PERSON, REASON KNOWN", "ATTENDED"
TITLES = (ACTION_NEEDED, REASON_KNOWN, ATTENDED)


@dataclass(frozen=True, slots=True)
class Lines:
    """A stretch of sessions in words, which any number of a message's pupils may share.

    `text` is laid out. `cells` are the rows of the table without what stands before them: what happened in each session,
    and what it means for the register, as HTML; what is said of the pupil besides goes between them and `cells_end`.
    """

    text: list[str]
    sessions: int
    cells: str
    cells_end: str


class Block(NamedTuple):
    """One pupil's part of a message; a named tuple, since thousands are made in the minute when reports are due."""

    who: str
    told: Lines
    extras: Sequence[str]


@dataclass(frozen=True, slots=True)
class Group:
    """Pupils whose news is alike, with a heading that counts them."""

    title: str
    blocks: list[Block]


class SortedOnce:
    """Sorts a message for its text, and gives the same again for its HTML.

    Most pupils of a day share their sessions, also those of many schools: what is said of these is put into words once.
    """

    def __init__(self) -> None:
        """Begin with no message."""
        self._last: tuple[Message, bool, list[Group]] | None = None
        self._told: dict[tuple[int, bool], tuple[Sessions, Lines, str]] = {}

    def groups(self, message: Message, *, named: bool) -> list[Group]:
        """Give the groups of a message; it may be asked for from any thread."""
        last = self._last
        if last is None or last[0] is not message or last[1] is not named:
            last = self._last = (message, named, self._sorted(message, named=named))
        return last[2]

    def _sorted(self, message: Message, *, named: bool) -> list[Group]:
        """Sort a message's reports: what needs somebody first, then absences with a reason, then who attended."""
        sorted_out: dict[str, list[Block]] = {title: [] for title in TITLES}
        one_day = len({session.day for sessions in message.told for session in sessions}) == 1
        if len(self._told) > _SHARED:
            self._told.clear()
        for report in message.reports:
            # They are kept beside their words, so that no others can come to have their identity.
            key = (id(report.sessions), one_day)
            kept = self._told.get(key)
            if kept is None:
                lines, title = _lines(report.sessions, one_day=one_day), _title(report.sessions)
                kept = self._told[key] = (report.sessions, lines, title)
            title = ACTION_NEEDED if report.phone_us else kept[2]
            sorted_out[title].append(Block(_who(report, named), kept[1], _extras(report)))
        return [
            Group(f"{title}: {len(some)} {'pupil' if len(some) == 1 else 'pupils'}", some)
            for title, some in sorted_out.items()
            if some
        ]


class MailText:
    """The plain text part: every fact is here, so that nobody needs the HTML."""

    name = "mail-text"
    media_type = "text/plain; charset=utf-8"

    def __init__(self, once: SortedOnce | None = None) -> None:
        """Keep what sorts messages."""
        self._once = once or SortedOnce()

    def render(self, message: Message, *, named: bool) -> bytes:
        """Lay the message out in at most 78 columns of words (RFC 5322 section 2.1.1)."""
        if message.paper is not None:
            return _summary_text(message, named=named)
        out = []
        if message.is_test:
            out += ["TEST. The pupils in this message are invented.", ""]
        out += [_head(message), _wrong_school(message), ""]
        if message.late:
            out += [f"This message is late. It was due by {moment_words(message.due_by)}.", ""]
        if message.test_code:
            out += [f"Read this code back to us by phone: {message.test_code}", ""]
        laid = [part for line in out for part in _wrapped(line)]
        for group in self._once.groups(message, named=named):
            laid.append(group.title)
            for block in group.blocks:
                laid += _wrapped(f"  {block.who}")
                laid += block.told.text
                for extra in block.extras:
                    laid += _wrapped(f"    {extra}")
            laid.append("")
        for line in _foot(message):
            laid += _wrapped(line)
        return ("\r\n".join(laid) + "\r\n").encode()


class MailHtml:
    """The HTML part: one column, a real table, no images, nothing told by colour."""

    name = "mail-html"
    media_type = "text/html; charset=utf-8"

    def __init__(self, once: SortedOnce | None = None) -> None:
        """Keep what sorts messages."""
        self._once = once or SortedOnce()

    def render(self, message: Message, *, named: bool) -> bytes:
        """Fill the template; every value is escaped."""
        if message.paper is not None:
            return _summary_html(message, named=named)
        page = _template().render(
            message=message,
            title=subject_of(message),
            head=_head(message),
            wrong_school=_wrong_school(message),
            due=moment_words(message.due_by),
            groups=self._once.groups(message, named=named),
            table_rows=_table_rows,
            foot=_foot(message),
        )
        return page.replace("\n", "\r\n").encode()


class SummaryPdf:
    """A summary as an accessible PDF, with names: for where files are protected."""

    name = "summary-pdf"
    media_type = "application/pdf"

    def render(self, message: Message, *, named: bool) -> bytes:
        """Set the paper."""
        return as_pdf(_paper(message, named=named))


class SummaryWorkbook:
    """A summary's tables as a workbook."""

    name = "summary-xlsx"
    media_type = XLSX

    def render(self, message: Message, *, named: bool) -> bytes:
        """Write the paper's tables."""
        return as_workbook(_paper(message, named=named))


def _paper(message: Message, *, named: bool) -> Paper:
    paper = message.paper if named else message.paper_with_initials
    if paper is None:
        what = "this message has no paper"
        raise ValueError(what)
    return replace(paper, reference=message.reference)


def _summary_text(message: Message, *, named: bool) -> bytes:
    """Lay a summary out between the same head and foot as a report."""
    late = f"This message is late. It was due by {moment_words(message.due_by)}."
    head = [_head(message), _wrong_school(message), *([late] if message.late else []), ""]
    lines = [part for line in head for part in _wrapped(line)]
    foot = [part for line in ["", *_foot(message)] for part in _wrapped(line)]
    body = as_text(_paper(message, named=named))
    return b"".join(("\r\n".join([*lines, ""]).encode(), body, ("\r\n".join(foot) + "\r\n").encode()))


def _summary_html(message: Message, *, named: bool) -> bytes:
    late = f"This message is late. It was due by {moment_words(message.due_by)}."
    before = [_head(message), _wrong_school(message), *([late] if message.late else [])]
    return as_mail_body(_paper(message, named=named), before=before, after=_foot(message))


def _table_rows(group: Group) -> Markup:
    """Lay out a group's table; hundreds of cells a message, so without the template's loops."""
    rows = []
    for block in group.blocks:
        told = block.told
        extras = "".join([f"<br>{escape(extra)}" for extra in block.extras]) if block.extras else ""
        rows.append(
            f'\n<tr><th scope="row" align="left" valign="top" rowspan="{told.sessions}">{escape(block.who)}</th>'
            f"{told.cells}{extras}{told.cells_end}"
        )
    return Markup("".join(rows))  # noqa: S704 - every value in it was escaped above, or when its cells were made


def _wrapped(line: str) -> list[str]:
    """Break a long line at spaces, its rest indented by two more; hundreds a message, so by hand."""
    if len(line) <= COLUMNS:
        return [line]
    rest = line.lstrip()
    indent = " " * (len(line) - len(rest))
    out = []
    while len(indent) + len(rest) > COLUMNS:
        cut = rest.rfind(" ", 0, COLUMNS - len(indent) + 1)
        if cut <= 0:
            break
        out.append(indent + rest[:cut])
        rest = rest[cut + 1 :]
        indent = indent if len(out) > 1 else f"{indent}  "
    return [*out, indent + rest]


@cache
def _template() -> Template:
    loader = PackageLoader("aphub.services", "templates")
    environment = Environment(loader=loader, autoescape=True, undefined=StrictUndefined, auto_reload=False)
    return environment.get_template("mail.html")


def _title(sessions: Sessions) -> str:
    if any(map(asks_for_action, sessions)):
        return ACTION_NEEDED
    return ATTENDED if all_attended(sessions) else REASON_KNOWN


def _lines(sessions: Sessions, *, one_day: bool) -> Lines:
    text: list[str] = []
    cells: list[str] = []
    for session in sessions:
        half = HALF_WORDS[session.half].capitalize()
        day = "" if one_day else f"{session.day:%A} {session.day.day} {session.day:%B}, "
        when = f"{day}{half if one_day else half.lower()}, {time_words(session.starts)} to {time_words(session.ends)}"
        happened = [f"{when}: {line_words(session)}"]
        happened += [f"We have done: {done}" for done in action_words(session)]
        code, why = code_words(session), _sentence(session.suggestion.why)
        for line in (f"{happened[0]}.", f"{code}. {why}", *happened[1:]):
            text += _wrapped(f"    {line}")
        cells.append('\n<td valign="top">' + "<br>".join(map(escape, happened)))
        cells.append(f'</td>\n<td valign="top">{escape(code)}<br>{escape(why)}</td></tr>')
        cells.append("\n<tr>")
    return Lines(text, len(sessions), "".join(cells[:-2]), cells[-2])


def _extras(report: Report) -> Sequence[str]:
    if not (report.changes or report.next_step or report.phone_us):
        return ()
    extras = [f"Changed: {change}" for change in report.changes]
    if report.next_step:
        extras.append(f"We will do: {report.next_step}")
    if report.phone_us:
        extras.append("Phone us about this pupil.")
    return extras


def _who(report: Report, named: bool) -> str:  # noqa: FBT001 - private
    name = report.pupil_name if named else report.initials
    return f"{name} (your number {report.school_pupil_ref})" if report.school_pupil_ref else name


def _sentence(words: str) -> str:
    return f"{words[0].upper()}{words[1:]}{'' if words.endswith('.') else '.'}" if words else ""


def _head(message: Message) -> str:
    due = f" Due {time_words(message.due_by)}." if message.about_pupils else ""
    return (
        f"{message.provider_name} to {message.organisation_name}. Reference {message.reference}. "
        f"Made {time_words(message.made_at)}.{due}"
    )


def _wrong_school(message: Message) -> str:
    if message.kind in {Kind.TASKS, Kind.FIGURES}:
        return "No pupil is named here."
    file = " Do not open any file." if message.about_pupils else ""
    return f"Wrong school?{file} Phone {message.provider_phone} and quote the reference."


def _foot(message: Message) -> list[str]:
    foot = [*message.notes]
    if message.previous_reference:
        if message.kind is Kind.CORRECTION:
            # The message before may be about other pupils, so it is never replaced whole.
            foot.append("This replaces what we said before about these pupils, and nothing else.")
        foot.append(f"This adds to reference {message.previous_reference}.")
    if message.ask_to_confirm:
        foot.append("Reply OK or phone us to confirm that you have this. If nobody does, we will phone you.")
    if message.about_pupils and message.kind is not Kind.SUMMARY:
        foot.append("Codes are suggestions. Your school decides which code to use.")
    foot.append(f"{message.provider_name}: {message.provider_phone}, {message.provider_hours}.")
    return foot


@hookimpl
def register_renderers(register: Callable[[Renderer], None]) -> None:
    """Register the two mail renderers, and a summary's files: its PDF only where one can be made."""
    once = SortedOnce()
    register(MailText(once))
    register(MailHtml(once))
    register(SummaryWorkbook())
    if printable():
        register(SummaryPdf())
