"""The shape of a template: one vendor's API as data, checked before anything is sent.

Texts may hold places such as `{pupil_id}`. A text that is only a place keeps the kind of its value (a number stays a
number; `{target:number}` makes one); elsewhere the value is written into the text. A place that nothing fills is an error
of the template.
"""

import re
from datetime import date
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from aphub.api.mis import State

PLACE = re.compile(r"\{([a-z_]+)(:number)?\}")
ITEM_PLACES = frozenset(
    {"pupil_id", "target", "code", "date", "session", "session_id", "minutes_late", "comment"}
)
BATCH_PLACES = frozenset({"school", "items", "date", "session", "session_id", "callback"})
_SHARED = {"none": set[str](), "date": {"date"}}
"""Places around the items that mean the same for all of them; one half day, or one mark, shares all."""
_SIGN_IN_PLACES = frozenset({"user", "secret", "second_secret"})
_TWO_DAYS = (date(2026, 2, 1), date(2026, 1, 2), date(2025, 2, 1))
"""Days that a date format must tell apart, each differing from the first in another way."""


class Part(BaseModel):
    """A part of a template; an unknown key is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class SignIn(Part):
    """How requests prove who asks. `{user}`, `{secret}` and `{second_secret}` stand for the connection's."""

    kind: Literal["headers", "basic", "token"] = Field(
        default="headers", description="fixed headers, Basic, or a token that is asked for first"
    )
    headers: dict[str, str] = Field(
        default_factory=dict, description="headers of every request, such as Authorization = Bearer {secret}"
    )
    path: str = Field(
        default="", description="token: where it is asked for, below base_url or a whole address"
    )
    body: dict[str, str] = Field(default_factory=dict, description="token: what is posted for it")
    form: bool = Field(default=False, description="token: post a form (OAuth client credentials), not JSON")
    token: str = Field(default="access_token", description="token: where it stands in the answer")
    expires: str = Field(
        default="expires_in", description="token: where its end stands, an instant or seconds"
    )
    header: str = Field(default="Bearer {token}", description="token: what the Authorization header says")

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if self.kind == "token" and not (self.path and self.body):
            message = "A sign-in by token needs path and body"
            raise ValueError(message)
        return self


class Listing(Part):
    """How a list is read."""

    path: str = Field(description="path below base_url")
    query: dict[str, str] = Field(default_factory=dict, description="query of the address")
    rows: str = Field(
        default="data", description="where the rows stand in the answer; empty for the answer itself"
    )
    page: str = Field(
        default="", description="name of the page's number in the query; empty where all comes at once"
    )
    page_size: str = Field(default="", description="name of the page's size in the query")
    more: str = Field(
        default="", description="where it says that there are more pages; empty: a full page means more"
    )


class Pupils(Listing):
    """How a pupil is looked up; `{upn}` in the query asks for one at a time, without it all are listed."""

    upn: str = Field(default="upn", description="where the UPN stands in a row; only this decides who it is")
    id: str = Field(default="id", description="where the pupil's id stands in a row")


class Codes(Listing):
    """How the school's own code table is read."""

    letter: str = Field(default="code", description="where the letter stands in a row")
    target: str = Field(default="id", description="where what a write wants stands in a row")


class Sessions(Listing):
    """How a half day's own number is looked up, where marks belong to it; `{date}` asks by day, `{session}` by half day."""

    id: str = Field(default="id", description="where the half day's number stands in a row")
    day: str = Field(default="date", description="where its day stands in a row")
    session: str = Field(default="session", description="where its word stands in a row")


class Marks(Listing):
    """How marks are read back; `{date}` asks by day, `{pupil_id}` by pupil, `{session}` or `{session_id}` by half day."""

    pupil: str = Field(default="student_id", description="where the pupil's id stands in a row")
    day: str = Field(default="date", description="where the day stands in a row")
    session: str = Field(default="session", description="where the session stands in a row")
    session_id: str = Field(
        default="", description="where the half day's number stands, instead of day and session"
    )
    target: str = Field(default="code_id", description="where the code's target stands in a row")
    minutes: str = Field(default="minutes_late", description="where the minutes stand in a row")
    comment: str = Field(default="comment", description="where the comment stands in a row")
    trouble: str = Field(default="", description="where their complaint about a mark stands in a row")


class Success(Part):
    """What makes a 2xx a yes: `path` holds one of `values`, or nothing where `empty` is true."""

    path: str = Field(default="", description="where to look in the answer; empty: every 2xx is a yes")
    values: tuple[str | int | bool, ...] = Field(default=(), description="what must stand there")
    empty: bool = Field(default=False, description="nothing must stand there, such as no exception")

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if bool(self.path) != (self.empty or bool(self.values)):
            message = "A test of success needs path, and values or empty"
            raise ValueError(message)
        return self


class Write(Part):
    """How marks are written."""

    method: Literal["POST", "PUT", "PATCH"] = Field(default="POST", description="verb of the request")
    path: str = Field(description="path below base_url")
    group_by: Literal["none", "date", "session", "mark"] = Field(
        default="none", description="what one request may hold: anything, one day, one half day, or one mark"
    )
    most: int = Field(default=200, ge=1, le=1000, description="marks in one request at most")
    item: dict[str, Any] = Field(description="one mark; a place that is empty leaves its key out")
    body: dict[str, Any] | str = Field(
        default="{items}",
        description="the body around {items}, or one item itself where a request holds one mark",
    )
    success: Success = Field(default_factory=Success, description="what makes a 2xx a yes")
    reference: str = Field(default="", description="where a number to ask by stands in the answer")
    results: str = Field(default="", description="where a list of one result a mark stands")
    result_ok: str = Field(default="success", description="where such a result says true or false")


class Status(Part):
    """How they are asked what became of a write."""

    path: str = Field(description="path below base_url, with {reference}")
    word: str = Field(default="status", description="where the status stands in the answer")
    words: dict[str, State] = Field(
        description="status to confirmed, pending or failed; an unknown one is pending"
    )


class Callback(Part):
    """How they call back when a queued write is done, at the address that `{callback}` in the body gives them."""

    reference: str = Field(description="parameter or field that holds the number that the write was given")
    word: str = Field(description="parameter or field that says what became of it")
    words: dict[str, State] = Field(description="such a word to confirmed, pending or failed")
    signature: str = Field(
        default="", description="header with the HMAC-SHA256 of the body in hex, if they sign"
    )
    prefix: str = Field(default="", description="what stands before it there, such as sha256=")


class Template(Part):
    """One vendor's API."""

    vendor: str = Field(min_length=2, max_length=40, description="the vendor's name, as people say it")
    source: str = Field(description="where this was read, and when")
    sign_in: SignIn = Field(default_factory=SignIn, description="how requests prove who asks")
    permission: Listing | None = Field(default=None, description="what is read to see that we may")
    pupils: Pupils = Field(description="how a pupil is looked up")
    codes: Codes | None = Field(default=None, description="how the school's code table is read")
    code_table: dict[str, str] = Field(
        default_factory=dict, description="letter to target, where there is none to read"
    )
    session_ids: Sessions | None = Field(
        default=None, description="how a half day's own number is looked up, for {session_id}"
    )
    marks: Marks = Field(description="how marks are read back")
    write: Write = Field(description="how marks are written")
    status: Status | None = Field(default=None, description="how they are asked what became of a write")
    callback: Callback | None = Field(default=None, description="how they call back, where they do")
    sessions: dict[Literal["AM", "PM"], str] = Field(
        default={"AM": "AM", "PM": "PM"}, description="their words for the two half days"
    )
    date_format: str = Field(default="%Y-%m-%d", description="how they write a day")
    requests_per_second: float = Field(
        default=0.0, ge=0, le=100, description="what they allow; 0 for no limit"
    )

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if (self.codes is None) == (not self.code_table):
            message = "Give either codes, to read their table, or code_table"
            raise ValueError(message)
        wrong = places(self.write.item) - ITEM_PLACES
        wrong |= (
            places(self.write.body) - BATCH_PLACES - (ITEM_PLACES if self.write.group_by == "mark" else set())
        )
        if wrong:
            message = f"Nothing fills these places of a write: {', '.join(sorted(wrong))}"
            raise ValueError(message)
        self._every_place_is_filled()
        self._each_half_day_is_its_own()
        self._says_one_thing()
        if not {"pupil_id", "target"} <= places(self.write.item):
            message = "An item must say whose mark it is and which: {pupil_id} and {target}"
            raise ValueError(message)
        return self

    def _every_place_is_filled(self) -> None:
        """Refuse a place that nothing fills, in whatever part it stands: it would stop a report on its way."""
        asked = {
            "sign_in": ([self.sign_in.path, self.sign_in.headers, self.sign_in.body], _SIGN_IN_PLACES),
            "sign_in.header": ([self.sign_in.header], {"token"}),
            "permission": ([self.permission and [self.permission.path, self.permission.query]], {"school"}),
            "pupils": ([self.pupils.path, self.pupils.query], {"school", "upn"}),
            "codes": ([self.codes and [self.codes.path, self.codes.query]], {"school"}),
            "session_ids": (
                [self.session_ids and [self.session_ids.path, self.session_ids.query]],
                {"school", "date", "session"},
            ),
            "marks": (
                [self.marks.path, self.marks.query],
                {"school", "date", "pupil_id", "session", "session_id"},
            ),
            "write.path": ([self.write.path], BATCH_PLACES - {"items", "callback"} | ITEM_PLACES),
            "status": ([self.status and self.status.path], {"school", "reference"}),
        }
        for part, (texts, known) in asked.items():
            wrong = places(texts) - known
            if wrong:
                message = f"Nothing fills these places of {part}: {', '.join(sorted(wrong))}"
                raise ValueError(message)

    def _each_half_day_is_its_own(self) -> None:
        """Refuse a request that would say one day or half day of marks of several, and a number that nobody looks up."""
        around = places([self.write.path, self.write.body]) & {"date", "session", "session_id"}
        alike = _SHARED.get(self.write.group_by, around)
        if around - alike:
            names = ", ".join(f"{{{one}}}" for one in sorted(around - alike))
            message = f"write: {names} would stand for marks of other days or half days too. Set group_by"
            raise ValueError(message)
        asked = [self.write.path, self.write.body, self.write.item, self.marks.path, self.marks.query]
        if (self.callback is not None) != ("callback" in places(self.write.body)):
            message = "callback and its place {callback} in the body of write belong together"
            raise ValueError(message)
        if self.callback is not None and not self.write.reference:
            message = "A callback needs write.reference: it names the write that it speaks of"
            raise ValueError(message)
        if self.session_ids is None and ("session_id" in places(asked) or self.marks.session_id):
            message = "{session_id} needs session_ids, which looks it up"
            raise ValueError(message)

    def _says_one_thing(self) -> None:
        """Refuse a code table, half days or a date that mean two things, so that nobody could read them back."""
        empty = sorted(
            letter for letter, target in self.code_table.items() if not letter.strip() or not target.strip()
        )
        if empty:
            message = f"code_table: nothing stands for {', '.join(repr(one) for one in empty)}"
            raise ValueError(message)
        targets = list(self.code_table.values())
        twice = sorted(letter for letter, target in self.code_table.items() if targets.count(target) > 1)
        if twice:
            message = f"code_table: {', '.join(twice)} stand for the same, so a mark could not be read back"
            raise ValueError(message)
        if self.sessions.keys() != {"AM", "PM"} or len(
            {one.casefold() for one in self.sessions.values()}
        ) < len(self.sessions):
            message = "sessions: give AM and PM a word each, and not the same"
            raise ValueError(message)
        if len({day.strftime(self.date_format) for day in _TWO_DAYS}) < len(_TWO_DAYS):
            message = f"date_format: '{self.date_format}' does not tell day, month and year apart"
            raise ValueError(message)


def places(value: Any) -> set[str]:
    """Name the places in a value, however deep."""
    if isinstance(value, str):
        return {match[1] for match in PLACE.finditer(value)}
    if isinstance(value, dict):
        return set().union(*(places(one) for one in value.values())) if value else set()
    if isinstance(value, list | tuple):
        return set().union(*(places(one) for one in value)) if value else set()
    return set()


def filled(value: Any, given: dict[str, Any]) -> Any:
    """Fill the places of a value; a key whose value is only a place that is empty is left out."""
    if isinstance(value, str):
        whole = PLACE.fullmatch(value)
        if whole:
            found = given[whole[1]]
            return int(found) if whole[2] and str(found).isdecimal() else found
        return PLACE.sub(lambda match: str(given[match[1]]), value)
    if isinstance(value, dict):
        made = {key: filled(one, given) for key, one in value.items()}
        return {key: one for key, one in made.items() if one not in (None, "")}
    if isinstance(value, list | tuple):
        return [filled(one, given) for one in value]
    return value
