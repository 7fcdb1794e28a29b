"""The page that a school's office forwards to its IT team: what we send, from where, what to allow, what we found, whom to ask."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from aphub.api.adapters import CheckStep
from aphub.api.papers import ForTheirIt
from aphub.domain.wording import moment_words
from aphub.services.desk import Desk
from aphub.services.routes import Route

_CSS = (
    "@page{size:A4;margin:18mm}body{font:11pt/1.4 sans-serif;max-width:44em;margin:1em auto;color:#000;background:#fff}"
    "h1{font-size:16pt}h2{font-size:13pt;break-after:avoid}table{border-collapse:collapse;width:100%}"
    "th,td{border:1px solid #555;padding:1.5mm;text-align:left;vertical-align:top;overflow-wrap:anywhere}"
    "tr,li{break-inside:avoid}"
)
_UNPROVED = ForTheirIt("Attendance of pupils whom your school has placed with us.", (), ())


@dataclass(frozen=True, slots=True)
class ItPage:
    """The page twice: as HTML that prints on A4, and as plain text for a mail; `stem` is a safe file name."""

    stem: str
    html: str
    text: str


def it_page(desk: Desk, route: Route, about: ForTheirIt | None, steps: Sequence[CheckStep]) -> ItPage:
    """Write the page about one way. It holds no pupil's data and no secret, and asks for nothing but what is listed."""
    provider, school = desk.config.provider, desk.config.organisations[route.organisation]
    about = about or _UNPROVED
    title = f"For the IT team of {school.name}"
    opening = (
        f"{provider.name} teaches pupils of {school.name} and tells the school about their attendance through a "
        f"program called aphub. This page says what reaches your systems and what we ask you to allow."
    )
    asking = (
        f"{provider.name}, {provider.phone} ({provider.hours}), {provider.reply_to}. "
        "Check our number on our website before you change anything for us."
    )
    found = [
        (step.step, "Good" if step.ok and not step.mend else "Please look" if step.ok else "Not yet", step)
        for step in steps
    ]
    seen = f"What we found on {moment_words(desk.now)}"
    rows = [(step, f"{mark}. {_sentence(one)}".strip()) for step, mark, one in found]
    html = (
        f"<!doctype html><html lang='en-GB'><head><meta charset='utf-8'><title>{escape(title)}</title>"
        f"<meta name='viewport' content='width=device-width'><style>{_CSS}</style></head><body><h1>{escape(title)}</h1>"
        f"<p>{escape(opening)}</p><h2>What we send</h2><p>{escape(about.sends)}</p>{_table(about.facts)}"
        f"<h2>What to allow</h2><ul>{''.join(f'<li>{escape(one)}</li>' for one in about.allow)}</ul>"
        f"<h2>{escape(seen)}</h2><p>No pupil's data was sent for this.</p>{_table(rows)}"
        f"<h2>Whom to ask</h2><p>{escape(asking)}</p></body></html>\n"
    )
    parts = [
        (title, [opening]),
        ("What we send", [about.sends, *(f"{name}: {value}" for name, value in about.facts)]),
        ("What to allow", [f"- {one}" for one in about.allow]),
        (seen, ["No pupil's data was sent for this.", *(f"{step}: {words}" for step, words in rows)]),
        ("Whom to ask", [asking]),
    ]
    text = "\n\n".join("\n".join([head, "=" * len(head), *lines]) for head, lines in parts)
    return ItPage(f"for-their-it-{route.organisation}-{route.channel}", html, f"{text}\n")


def _sentence(step: CheckStep) -> str:
    words = f"{step.found[:1].upper()}{step.found[1:]}".rstrip(".")
    return " ".join(f"{one}." for one in (words, step.mend.rstrip(".")) if one)


def _table(rows: Sequence[tuple[str, str]]) -> str:
    cells = "".join(
        f"<tr><th scope='row'>{escape(name)}</th><td>{escape(words)}</td></tr>" for name, words in rows
    )
    return f"<table><tbody>{cells}</tbody></table>" if rows else ""
