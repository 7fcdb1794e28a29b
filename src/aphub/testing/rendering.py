"""Plain renderers under the names that adapters ask for, so that a plugin's tests need no hub."""

from dataclasses import dataclass
from html import escape

from aphub.api.renderers import Rendering, subject_of
from aphub.domain.reports import OUTCOME_WORDS, Message


@dataclass(slots=True)
class PlainText:
    """One line a session, with names only where they may stand."""

    name: str = "mail-text"
    media_type: str = "text/plain"

    def render(self, message: Message, *, named: bool) -> bytes:
        """Give the text."""
        lines = [subject_of(message), message.reference, ""]
        for report in message.reports:
            who = report.pupil_name if named else report.initials
            lines += [
                f"{who}: {OUTCOME_WORDS[session.fact.outcome]} ({session.suggestion.code or 'no code'})"
                for session in report.sessions
            ]
        return "\n".join(lines).encode()


@dataclass(slots=True)
class PlainHtml:
    """The same lines as a web page."""

    name: str = "mail-html"
    media_type: str = "text/html"

    def render(self, message: Message, *, named: bool) -> bytes:
        """Give the page."""
        text = PlainText().render(message, named=named).decode()
        lines = "".join(f"<p>{escape(line)}</p>\n" for line in text.splitlines() if line)
        title = escape(subject_of(message))
        page = f'<!doctype html>\n<html lang="en"><head><title>{title}</title></head><body>\n{lines}</body></html>'
        return page.encode()


def plain_rendering() -> Rendering:
    """Give the plain renderers by name."""
    text, html = PlainText(), PlainHtml()
    return Rendering({text.name: text, html.name: html})
