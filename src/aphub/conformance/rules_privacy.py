"""Rules about what must not be seen: in logs, errors, reprs, names, subjects and on the network."""

import logging
import re
import traceback
from collections.abc import Iterable, Iterator
from email import message_from_bytes
from email.policy import default

import pytest

from aphub.api import (
    ConnectionSettings,
    Document,
    Kind,
    Rendering,
    RouteSettings,
    Tools,
)
from aphub.conformance.far_sides import MOODS, FarSide
from aphub.conformance.ground import Ground, rule, secrets_of
from aphub.conformance.watching import watched_network
from aphub.testing import (
    PLANTED,
    PLANTED_SECRET,
    SAMPLE_FILE_PASSWORD,
    sample_message,
    sample_outbound,
    search_for_planted,
)

_SAFE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,150}")
_HERE = frozenset({"localhost", "127.0.0.1", "::1"})


class PrivacyRules(Ground):
    """What must not be seen."""

    @rule()
    def test_keeps_names_and_secrets_out_of_logs_errors_and_reprs(
        self,
        connection: ConnectionSettings,
        route: RouteSettings,
        rendering: Rendering,
        far_side: FarSide,
        tools: Tools,
        caplog: pytest.LogCaptureFixture,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        """In every mood, with every logger at DEBUG."""
        capsys.readouterr()
        wanted = (*PLANTED, SAMPLE_FILE_PASSWORD, *secrets_of(connection, route))
        for number, mood in enumerate(MOODS):
            delivery = self.delivery(
                connection, route, rendering, message=sample_message(thread=f"hidden {number}")
            )
            getattr(far_side, mood)()
            caplog.clear()
            with caplog.at_level(logging.DEBUG):
                tried = self.attempt(connection, tools, delivery)
            far_side.accepts()
            seen = [repr(connection), repr(route), repr(delivery), repr(tried.result)]
            seen.append(repr(self.adapter_class(connection, tools)))
            seen.extend(_told(record) for record in caplog.records)
            if tried.error is not None:
                error = tried.error
                seen += [str(error), repr(error), error.words, error.code, error.what_now]
                seen += traceback.format_exception(error)
            printed = capsys.readouterr()
            seen += [printed.out, printed.err]
            leaks = search_for_planted(*seen, planted=wanted)
            assert not leaks, (
                f"In the mood '{mood}' {len(leaks)} names or secrets can be read: {_first(seen, wanted)}"
            )

    @rule()
    def test_composes_the_same_bytes_twice_and_names_no_pupil_outside(
        self, connection: ConnectionSettings, route: RouteSettings, rendering: Rendering
    ) -> None:
        """Composing is pure; file names, subjects and other mail headers are safe to be read by anybody.

        Where a route locks its documents (`locks_freshly`), each time has other bytes: then what is compared is their
        names and kinds, and no pupil may be found in any of them, however it is unpacked.
        """
        outbound = sample_outbound(
            connection=connection, rendering=rendering, file_password=SAMPLE_FILE_PASSWORD
        )
        documents = self.adapter_class.compose(outbound, route)
        again = self.adapter_class.compose(outbound, route)
        if self.locks_freshly:
            kinds = [[(one.name, one.media_type) for one in made] for made in (documents, again)]
            assert kinds[0] == kinds[1], "Composing twice gave other names or kinds of documents."
            assert not search_for_planted(*_unpacked(documents)), "A locked document names a pupil."
        else:
            assert documents == again, "Composing twice gave different documents."
        for document in documents:
            assert _SAFE_NAME.fullmatch(document.name), (
                "A document's name has signs that a far side may refuse."
            )
            outside = f"{document.name} {document.media_type}"
            if document.media_type.startswith("message/rfc822"):
                mail = message_from_bytes(document.content, policy=default)
                outside += "\n".join(f"{name}: {value}" for name, value in mail.items())
                outside += "\n".join(str(part.get_filename()) for part in mail.walk())
            assert not search_for_planted(outside), "A name or header tells of a pupil."

    @rule(owed_if="documents")
    def test_marks_a_test_message_as_a_test(
        self, connection: ConnectionSettings, route: RouteSettings, rendering: Rendering
    ) -> None:
        """Every document of a test message says TEST in its name or its subject."""
        outbound = sample_outbound(
            sample_message(kind=Kind.TEST),
            connection=connection,
            rendering=rendering,
            file_password=SAMPLE_FILE_PASSWORD,
        )
        for document in self.adapter_class.compose(outbound, route):
            subject = ""
            if document.media_type.startswith("message/rfc822"):
                subject = str(message_from_bytes(document.content, policy=default).get("Subject", ""))
            assert "TEST" in f"{document.name} {subject}", "A test message could be taken for a real one."

    @rule()
    def test_touches_no_network_but_the_far_side(
        self,
        connection: ConnectionSettings,
        route: RouteSettings,
        rendering: Rendering,
        far_side: FarSide,
        tools: Tools,
    ) -> None:
        """Every connection goes to the far side, whether it answers or not."""
        delivery = self.delivery(connection, route, rendering)
        for mood in ("accepts", "is_unreachable"):
            getattr(far_side, mood)()
            allowed = far_side.addresses
            with watched_network() as seen:
                self.attempt(connection, tools, delivery)
            far_side.accepts()
            ports = {port for _, port in allowed}
            for event, host, port in seen:
                if event in {"socket.connect", "socket.sendto"}:
                    assert host in _HERE | {h for h, _ in allowed}, "It connected to another host."
                    assert port in ports, f"It connected to port {port}, where the far side is not."
                else:
                    assert host in _HERE | {h for h, _ in allowed}, "It asked for another host's address."

    @rule()
    def test_checks_the_way_without_leaving_a_trace(
        self,
        connection: ConnectionSettings,
        route: RouteSettings,
        far_side: FarSide,
        tools: Tools,
    ) -> None:
        """A check ticks every step against a far side that works, sends no pupil and leaves nothing there."""
        before = list(far_side.received)
        steps = list(self.adapter_class(connection, tools).check(route))
        assert steps, "The check has no steps."
        failed = [step.step for step in steps if not step.ok]
        assert not failed, f"All is well, and these steps failed: {failed}"
        assert not search_for_planted(far_side.everything, planted=PLANTED[:-1]), (
            "The check sent a pupil's data."
        )
        assert list(far_side.received) == before, "The check left something at the far side."

    @rule()
    def test_names_a_mend_for_each_step_that_fails(
        self,
        connection: ConnectionSettings,
        route: RouteSettings,
        far_side: FarSide,
        tools: Tools,
    ) -> None:
        """A check of a far side in trouble yields its failing step with what to do; it shows no secret."""
        secrets = (PLANTED_SECRET, *secrets_of(connection, route))
        for mood in ("is_unreachable", "refuses", "is_busy"):
            getattr(far_side, mood)()
            steps = list(self.adapter_class(connection, tools).check(route))
            far_side.accepts()
            failed = [step for step in steps if not step.ok]
            assert failed or mood != "is_unreachable", (
                "The far side cannot be reached, and every step is ticked."
            )
            for step in failed:
                assert step.mend, f"The step '{step.step}' failed without saying what to do."
            shown = [text for step in steps for text in (step.step, step.found, step.mend, repr(step))]
            assert not search_for_planted(*shown, planted=secrets), "A step shows a secret."


def _unpacked(documents: Iterable[Document]) -> Iterator[bytes]:
    """Give documents as they are, and the parts of those that are mails as a reader gets them."""
    for document in documents:
        yield document.content
        if document.media_type.startswith("message/rfc822"):
            for part in message_from_bytes(document.content, policy=default).walk():
                content = part.get_payload(decode=True)
                if isinstance(content, bytes):
                    yield content


def _told(record: logging.LogRecord) -> str:
    """Give all that any formatter could write of a log record."""
    error = "".join(traceback.format_exception(*record.exc_info)) if record.exc_info else ""
    return f"{record.getMessage()} {record.__dict__} {error}"


def _first(seen: list[str], wanted: tuple[str, ...]) -> str:
    """Say where the first leak is, without repeating it."""
    for text in seen:
        if search_for_planted(text, planted=wanted):
            for word in wanted:
                text = re.sub(re.escape(word), "█", text, flags=re.IGNORECASE)  # noqa: PLW2901 - hidden word by word
            return text[:300]
    return ""
