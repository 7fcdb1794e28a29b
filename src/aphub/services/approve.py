"""The one way to a live channel: check, TEST message, its code read back, a second person's approval.

draft -> checked -> tested -> (code read back) -> live. An approval holds for one destination: publishing another one
takes the channel back, and the way begins anew. Whoever is root on the machine can go round this; nobody else can.

A school's own register takes no TEST marks: it is checked a second time, the school's signed list of codes must be
there, and instead of a code the name of the person at the school is kept who said by phone that both are right.
"""

import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from sqlalchemy import Connection, Row

from aphub.api.adapters import CheckStep
from aphub.domain.errors import AphubError
from aphub.domain.identifiers import REFERENCE_BYTES, public_references
from aphub.services.again import let_go
from aphub.services.desk import Desk
from aphub.services.pace import pace_kept
from aphub.services.recording import Statement, record
from aphub.services.routes import Route
from aphub.services.trial import Adapters, make_trial, send_trial, steps_of, test_register
from aphub.services.way import (
    FOUND,
    NotYetError,
    SecondPersonError,
    WrongCodeError,
    about,
    keep,
    may_be_one,
    named,
    open_kept,
    route_to,
    row_of,
    signed,
    subject_of,
    typed,
)
from aphub.store import channels as rows

TRIES = 5
CODE_HOLDS = timedelta(days=7)
"""How long a code can be read back."""
TEST_HOLDS = timedelta(days=14)
"""How long after its test a channel can be approved; later, who reads there may have changed."""
_MAY_TEST = frozenset({"checked", "tested", "live"})


@dataclass(frozen=True, slots=True)
class TestSent:
    """A test that was sent: its reference, and the passphrase of protected files if a new one was made.

    The passphrase is shown once, to be given by phone. `script` is what a person reads out, where a person delivers.
    `by_code` is false for a register, which has no code.
    """

    __test__ = False  # pytest takes the name for a test otherwise

    reference: str
    passphrase: str = field(repr=False, default="")
    by_code: bool = True
    script: str = field(repr=False, default="")


def check(hub: Adapters, desk: Desk, organisation: str, channel: str) -> list[CheckStep]:
    """Prove a channel step by step; no pupil's data leaves. All steps good: what was a draft counts as checked.

    A live channel is paused where a step finds that what it was approved on is no longer so.
    """
    route = route_to(desk, organisation, channel)
    steps = steps_of(hub, desk, route)
    good = bool(steps) and all(step.ok for step in steps)
    steps += pace_kept(desk, route) if good else []
    with desk.store.transaction() as connection:
        row = row_of(desk, connection, route)
        values: dict[str, Any] = {"checked_at": desk.now} if good else {}
        if good and row.state in {"draft", "changed"}:
            values["state"] = "checked"
        elif not good and row.state == "checked":
            values["state"] = "changed" if row.approved_destination else "draft"
        if (wrong := next((step for step in steps if step.stops), None)) and row.state == "live":
            values |= {"state": "paused", "because": f"{FOUND}{wrong.found}"[:200]}
            _state_of(desk, connection, "channel.paused", route, "aphub check")
        elif good and row.state == "paused" and str(row.because or "").startswith(FOUND):
            values["because"] = "checked again, and right; paused until it is resumed"
        if values:
            rows.change(connection, desk.provider_id, organisation, channel, **values)
    return steps


def test_report(
    hub: Adapters,
    desk: Desk,
    organisation: str,
    channel: str,
    by: str,
    *,
    new_passphrase: bool = False,  # noqa: PT028 - a service, no test
) -> TestSent:
    """Send a TEST message about invented pupils at once, with a code to be read back by phone.

    A live channel stays live. `new_passphrase` makes another one, as when staff leave: it holds for what is prepared from
    now on. A register gets no marks: it is checked again instead (see the module's words).

    Raises:
        NotYetError: The channel has not been checked as it is now.
        DeliveryError: The message could not be sent; nothing changed.
    """
    route = route_to(desk, organisation, channel)
    by = named(by)
    with desk.store.transaction() as connection:
        row = row_of(desk, connection, route)
        if row.state not in _MAY_TEST:
            raise NotYetError(
                "This channel has not been checked as it is now.",
                "Nothing was sent.",
                f"Run: aphub check {organisation} {channel}",
            )
        kept = open_kept(desk, row)
        same = kept.get("destination") == route.destination
        password = str(kept.get("password", "")) if same and not new_passphrase else ""
        fresh = "" if password or not _protects_files(route) else _passphrase()
    script = ""
    if route.adapter.writes_register:
        reference, code, evidence = test_register(hub, desk, route)
    else:
        trial = make_trial(desk, route, f"{secrets.randbelow(900_000) + 100_000}", password or fresh)
        reference, code, evidence = trial.reference, trial.code, send_trial(hub, desk, route, trial)
        if route.adapter.asks_person:
            script = trial.delivery.documents[0].content.decode()
    kept = {
        "code": code,
        "password": password or fresh,
        "reference": reference,
        "destination": route.destination,
        "evidence": evidence,
    }
    with desk.store.transaction() as connection:
        row = row_of(desk, connection, route)
        state = {} if row.state == "live" else {"state": "tested", "because": None}
        keep(desk, connection, route, kept, **state, tested_at=desk.now, tested_by=by, read_back_at=None)
        fields = {
            **about(route),
            "dispatch": reference,
            "evidence": desk.vault.digest_json(evidence).hex(),
        }
        record(connection, desk, [Statement("test.sent", reference, fields)])
    return TestSent(reference, fresh, by_code=bool(code), script=script)


def read_back(desk: Desk, organisation: str, channel: str, code: str, by: str) -> None:
    """Take the code that somebody at the school read from the TEST message, typed in by `by`.

    For a register, `code` is the name of the person at the school who confirmed by phone.

    Raises:
        WrongCodeError: It is another one; after five of them the test counts no more.
        NotYetError: There is no test to read back, or it is too old.
    """
    route = route_to(desk, organisation, channel)
    by = named(by)
    refused: AphubError | None = None
    with desk.store.transaction() as connection:
        row = row_of(desk, connection, route)
        kept = _tested(desk, row, route, CODE_HOLDS)
        if route.adapter.writes_register:
            _somebody_there(code, by)
            kept = {**kept, "read_back_by": by, "confirmed_by": " ".join(code.split())}
        elif secrets.compare_digest(re.sub(r"\D", "", code), str(kept["code"])):
            kept = {**kept, "read_back_by": by}
        else:
            refused = _wrong_code(desk, connection, row, route, kept)
        if refused is None:
            keep(desk, connection, route, kept, read_back_at=desk.now)
    if refused is not None:
        raise refused


def approve(desk: Desk, organisation: str, channel: str, by: str) -> int:
    """Let pupils' data leave by this channel from now on; give how many owed reports that sets free.

    Raises:
        NotYetError: A step is missing, or too old.
        SecondPersonError: `by` sent the test or typed its code.
    """
    route = route_to(desk, organisation, channel)
    by = named(by)
    now = desk.now
    with desk.store.transaction() as connection:
        row = row_of(desk, connection, route)
        if row.state == "live":
            raise NotYetError("This channel is live already.", "Nothing was changed.")
        kept = _tested(desk, row, route, TEST_HOLDS)
        if row.read_back_at is None:
            raise NotYetError(
                "Nobody at the school has read the code of the TEST message back.",
                "Nothing was changed.",
                f"Phone them, then run: aphub read-back {organisation} {channel} CODE",
            )
        if any(may_be_one(by, str(one)) for one in (row.tested_by, kept.get("read_back_by", ""))):
            raise SecondPersonError(
                "Whoever sent the test or typed its code cannot approve it.",
                "Nothing was changed.",
                "Ask a second person, such as the head, and give the full names of both.",
            )
        moved = row.approved_destination not in {None, route.destination}
        keep(
            desk,
            connection,
            route,
            {**kept, "code": ""},
            state="live",
            because=None,
            approved_at=now,
            approved_by=by,
            approved_destination=route.destination,
        )
        fields = {**about(route), "by": signed(desk, by)}
        record(connection, desk, [Statement("channel.approved", subject_of(route), fields)])
        freed = let_go(desk, connection, route, now, by, moved=moved)
    desk.announce(route.lane)
    return freed


def pause(desk: Desk, organisation: str, channel: str, by: str, why: str = "") -> None:
    """Let nothing leave by a live channel until it is resumed; reports take the next one meanwhile.

    Raises:
        NotYetError: It is not live.
    """
    route = route_to(desk, organisation, channel)
    with desk.store.transaction() as connection:
        row = row_of(desk, connection, route)
        if row.state != "live":
            raise NotYetError("This channel is not live: nothing can be paused.", "Nothing was changed.")
        because = typed("The reason", f"paused by {named(by)}{': ' + why if why else ''}")
        rows.change(connection, desk.provider_id, organisation, channel, state="paused", because=because)
        _state_of(desk, connection, "channel.paused", route, by)


def resume(desk: Desk, organisation: str, channel: str, by: str) -> int:
    """Let a paused channel be live again, if it still goes where it was approved for; give how many reports go on.

    Raises:
        NotYetError: It is not paused, or was approved for another destination.
    """
    route = route_to(desk, organisation, channel)
    by = named(by)
    with desk.store.transaction() as connection:
        row = row_of(desk, connection, route)
        if row.state != "paused":
            raise NotYetError("This channel is not paused.", "Nothing was changed.")
        if str(row.because or "").startswith(FOUND):
            raise NotYetError(
                f"This channel is not as it was approved. The {row.because}.",
                "It stays paused.",
                f"When that is mended, run: aphub check {organisation} {channel}",
            )
        if row.approved_destination != route.destination:
            raise NotYetError(
                "This channel goes somewhere else than was approved.",
                "It stays paused.",
                f"Check, test and approve it: aphub check {organisation} {channel}",
            )
        rows.change(connection, desk.provider_id, organisation, channel, state="live", because=None)
        _state_of(desk, connection, "channel.resumed", route, by)
        freed = let_go(desk, connection, route, desk.now, by, moved=False)
    desk.announce(route.lane)
    return freed


def _state_of(desk: Desk, connection: Connection, kind: str, route: Route, by: str) -> None:
    record(connection, desk, [Statement(kind, subject_of(route), {**about(route), "by": signed(desk, by)})])


def _tested(desk: Desk, row: Row[Any], route: Route, holds: timedelta) -> dict[str, Any]:
    """Give what is kept of the newest test; it must be of this destination, and recent."""
    kept = open_kept(desk, row)
    again = f"Run: aphub test-report {route.organisation} {route.channel}"
    if row.state not in {"tested", "live"} or row.tested_at is None or not kept.get("reference"):
        raise NotYetError("No TEST message has been sent by this channel as it is now.", "", again)
    if kept["destination"] != route.destination:
        raise NotYetError("The TEST message went somewhere else than this channel goes now.", "", again)
    if not kept["code"] and not route.adapter.writes_register:
        raise NotYetError("The code of the last TEST message counts no more.", "", again)
    if desk.now - row.tested_at > holds:
        raise NotYetError(f"The last TEST message is older than {holds.days} days.", "", again)
    return kept


def _wrong_code(
    desk: Desk, connection: Connection, row: Row[Any], route: Route, kept: dict[str, Any]
) -> AphubError:
    tries = int(kept.get("tries", 0)) + 1
    left = TRIES - tries
    if left > 0:
        keep(desk, connection, route, {**kept, "tries": tries})
        return WrongCodeError(
            "This is not the code in the TEST message.",
            f"{left} {'try is' if left == 1 else 'tries are'} left.",
            "Ask them to read the six figures again, from the newest TEST message.",
        )
    state = {} if row.state == "live" else {"state": "checked"}
    keep(desk, connection, route, {**kept, "code": "", "tries": tries}, **state, read_back_at=None)
    return WrongCodeError(
        "This is not the code in the TEST message.",
        "It was the fifth wrong one, so that test counts no more.",
        f"Send another: aphub test-report {route.organisation} {route.channel}",
    )


def _somebody_there(name: str, by: str) -> None:
    if sum(letter.isalpha() for letter in name) < 2 or may_be_one(name, by):  # noqa: PLR2004 - a name, not a code
        raise WrongCodeError(
            "A register is confirmed by somebody at the school, and that name is needed here.",
            "Nothing was changed.",
            "Phone the school's published number, and give the name and role of whoever confirms.",
        )


def _protects_files(route: Route) -> bool:
    """Say whether the route's files need a passphrase: by custom, its setting `protection` is then `file`."""
    return getattr(route.settings, "protection", "") == "file"


def _passphrase() -> str:
    """Make a passphrase of eighty random bits, in groups that can be read out by phone."""
    letters = "".join(public_references(secrets.token_bytes(2 * REFERENCE_BYTES)))
    return "-".join(letters[at : at + 4] for at in range(0, len(letters), 4))


__all__: Sequence[str] = (
    "NotYetError",
    "SecondPersonError",
    "TestSent",
    "WrongCodeError",
    "approve",
    "check",
    "pause",
    "read_back",
    "resume",
    "signed",
    "test_report",
)
