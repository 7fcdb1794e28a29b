"""What to say on the telephone: who is asked first, what a machine may hear, and the message itself."""

from textwrap import wrap

from aphub.api import VOICEMAIL_RULE, Outbound
from aphub_phone.settings import PhoneRoute

WIDTH = 78


def script(outbound: Outbound, route: PhoneRoute) -> str:
    """Write what to say, in the order in which it is said."""
    message = outbound.message
    test = "TEST. Nobody in it exists. " if message.is_test else ""
    said = outbound.rendering.render("mail-text", message, named=route.names).decode()
    steps = (
        f"{test}Phone {message.organisation_name} on {route.number}. Ask for {route.ask_for}.",
        f"Say your name, {message.provider_name}, and the reference {message.reference}.",
        "Ask who is speaking, and write down the name and what they do there. Name no pupil before you know.",
        "Read out what stands below the line, pupil by pupil, and have them repeat each one.",
        f"Where a machine answers: {VOICEMAIL_RULE} That number is {message.provider_phone}.",
        f'Then: aphub call {message.reference} --answered-by "NAME, ROLE" --repeated',
        f"Nobody answered? aphub call {message.reference} --result no-answer (or engaged, voicemail, wrong-number, cut-off).",
    )
    lines = [line for number, words in enumerate(steps, 1) for line in _numbered(number, words)]
    return "\n".join([*lines, "-" * WIDTH, said.strip(), ""])


def _numbered(number: int, words: str) -> list[str]:
    return wrap(
        words,
        WIDTH,
        initial_indent=f"{number}. ",
        subsequent_indent="   ",
        break_long_words=False,
        break_on_hyphens=False,
    )
