"""The built-in renderers: a mail's text, complete on its own, and the same as one-column HTML."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from itertools import chain

from jinja2 import Environment, PackageLoader, StrictUndefined, Template

from aphub.api.hooks import hookimpl
from aphub.api.renderers import Renderer, subject_of
from aphub.domain.reports import Kind, Message, Report
from aphub.domain.wording import HALF_WORDS, action_words, code_words, line_words, moment_words, time_words

COLUMNS = 78


@dataclass(frozen=True, slots=True)
class Line:
    """One session of one pupil, in words."""

    when: str
    what: str
    code: str
    why: str
    done: list[str]


@dataclass(frozen=True, slots=True)
class Block:
    """One pupil's part of a message."""

    who: str
    lines: list[Line]
    extras: list[str]


@dataclass(frozen=True, slots=True)
class Group:
    """Pupils whose news is alike, with a heading that counts them."""

    title: str
    blocks: list[Block]


class MailText:
    """The plain text part: every fact is here, so that nobody needs the HTML."""

    name = "mail-text"
    media_type = "text/plain; charset=utf-8"

    def render(self, message: Message, *, named: bool) -> bytes:
        """Lay the message out in at most 78 columns of words (RFC 5322 section 2.1.1)."""
        out = []
        if message.is_test:
            out += ["TEST. The pupils in this message are invented.", ""]
        out += [_head(message), _wrong_school(message), ""]
        if message.late:
            out += [f"This message is late. It was due by {moment_words(message.due_by)}.", ""]
        if message.test_code:
            out += [f"Read this code back to us by phone: {message.test_code}", ""]
        for group in groups_of(message, named=named):
            out.append(group.title)
            for block in group.blocks:
                out.append(f"  {block.who}")
                for line in block.lines:
                    out += [f"    {line.when}: {line.what}.", f"    {line.code}. {line.why}"]
                    out += [f"    We have done: {done}" for done in line.done]
                out += [f"    {extra}" for extra in block.extras]
            out.append("")
        out += _foot(message)
        return ("\r\n".join(chain.from_iterable(map(_wrapped, out))) + "\r\n").encode()


class MailHtml:
    """The HTML part: one column, a real table, no images, nothing told by colour."""

    name = "mail-html"
    media_type = "text/html; charset=utf-8"

    def render(self, message: Message, *, named: bool) -> bytes:
        """Fill the template; every value is escaped."""
        page = _template().render(
            message=message,
            title=subject_of(message),
            head=_head(message),
            wrong_school=_wrong_school(message),
            due=moment_words(message.due_by),
            groups=groups_of(message, named=named),
            foot=_foot(message),
        )
        return page.replace("\n", "\r\n").encode()


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


def groups_of(message: Message, *, named: bool) -> list[Group]:
    """Sort a message's reports: what needs somebody first, then absences with a reason, then who attended."""
    action = [report for report in message.reports if report.needs_action]
    rest = [report for report in message.reports if not report.needs_action]
    parts = (
        ("ACTION NEEDED", action),
        ("NOT HERE IN PERSON, REASON KNOWN", [report for report in rest if not report.attended]),
        ("ATTENDED", [report for report in rest if report.attended]),
    )
    return [
        Group(
            f"{title}: {len(some)} {'pupil' if len(some) == 1 else 'pupils'}",
            [_block(one, named) for one in some],
        )
        for title, some in parts
        if some
    ]


def _block(report: Report, named: bool) -> Block:  # noqa: FBT001 - private
    one_day = len({session.day for session in report.sessions}) == 1
    lines = []
    for session in report.sessions:
        half = HALF_WORDS[session.half].capitalize()
        day = "" if one_day else f"{session.day:%A} {session.day.day} {session.day:%B}, "
        lines.append(
            Line(
                when=f"{day}{half if one_day else half.lower()}, {time_words(session.starts)} to {time_words(session.ends)}",
                what=line_words(session),
                code=code_words(session),
                why=_sentence(session.suggestion.why),
                done=action_words(session),
            )
        )
    extras = [f"Changed: {change}" for change in report.changes]
    if report.next_step:
        extras.append(f"We will do: {report.next_step}")
    if report.phone_us:
        extras.append("Phone us about this pupil.")
    return Block(_who(report, named), lines, extras)


def _who(report: Report, named: bool) -> str:  # noqa: FBT001 - private
    name = report.pupil_name if named else report.initials
    return f"{name} (your number {report.school_pupil_ref})" if report.school_pupil_ref else name


def _sentence(words: str) -> str:
    return f"{words[0].upper()}{words[1:]}{'' if words.endswith('.') else '.'}" if words else ""


def _head(message: Message) -> str:
    return (
        f"{message.provider_name} to {message.organisation_name}. Reference {message.reference}. "
        f"Made {time_words(message.made_at)}. Due {time_words(message.due_by)}."
    )


def _wrong_school(message: Message) -> str:
    return f"Wrong school? Do not open any file. Phone {message.provider_phone} and quote the reference."


def _foot(message: Message) -> list[str]:
    foot = [*message.notes]
    if message.previous_reference:
        if message.kind is Kind.CORRECTION:
            # The message before may be about other pupils, so it is never replaced whole.
            foot.append("This replaces what we said before about these pupils, and nothing else.")
        foot.append(f"This adds to reference {message.previous_reference}.")
    if message.ask_to_confirm:
        foot.append("Reply OK or phone us to confirm that you have this. If nobody does, we will phone you.")
    foot.append("Codes are suggestions. Your school decides which code to use.")
    foot.append(f"{message.provider_name}: {message.provider_phone}, {message.provider_hours}.")
    return foot


@hookimpl
def register_renderers(register: Callable[[Renderer], None]) -> None:
    """Register the two mail renderers."""
    register(MailText())
    register(MailHtml())
