"""What a file looks like, as data: columns, their order and formats, encoding, quoting, line ends."""

import re
import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, field_validator, model_validator

from aphub.api import COLUMNS
from aphub_drop.cells import dangerous

GRID = tuple(f"{day}_{half}" for day in ("mon", "tue", "wed", "thu", "fri") for half in ("am", "pm"))
"""The ten cells of a school week, each a code."""
EXTRA = ("pupil_name", "initials", "late_by", "happened", "comment", "week_starts", *GRID)
"""What a column may hold beside the columns of `aphub-1`; a date of birth is not among it, nor kept to be sent."""
FIELDS = frozenset({*COLUMNS, *EXTRA})
PUPIL = frozenset({"upn", "school_pupil_ref"})
DAYS = frozenset({"date", "week_starts"})
TIMES = frozenset({"lesson_start", "lesson_end"})
MOMENTS = frozenset({"made_at"})
CODES = frozenset({"suggested_code", *GRID})
LONGEST_CODE = 2

ENCODINGS: Mapping[str, str] = {
    "utf-8": "utf-8",
    "utf-8 with mark": "utf-8-sig",
    "windows-1252": "cp1252",
    "iso-8859-1": "iso-8859-1",
}
DELIMITERS: Mapping[str, str] = {"comma": ",", "semicolon": ";", "tab": "\t", "bar": "|"}
LINE_ENDS: Mapping[str, str] = {"crlf": "\r\n", "lf": "\n"}
_FORMAT = re.compile(r"(%[YymdbBaAHMS]|[ ./:,T-])+")
_ELEMENT = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,63}")

Line = Annotated[str, StringConstraints(pattern=r"^[^\r\n\x00]*$", max_length=200)]


class Column(BaseModel):
    """One column of a file, or one element of each row of an XML file."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Annotated[str, StringConstraints(pattern=r"^[^\r\n\x00\t]+$", max_length=64)] = Field(
        description="what stands in the header, or the element's name"
    )
    field: str = Field(default="", description="what it holds; none for a column that is always the same")
    value: Line = Field(default="", description="what always stands in it, instead of field")
    format: str = Field(default="", description="how a date or time is written, such as %d/%m/%Y")
    longest: int = Field(
        default=0, ge=0, le=10_000, description="most characters it takes; longer is never cut, but not sent"
    )
    needed: bool = Field(default=False, description="a row without it is not sent this way")
    words: dict[Line, Line] = Field(
        default_factory=dict, description="their word for each of ours; a word without one is not sent"
    )
    omit_empty: bool = Field(default=False, description="XML: leave the element out where it is empty")

    @field_validator("field")
    @classmethod
    def _known(cls, value: str) -> str:
        if value and value not in FIELDS:
            message = f"There is no '{value}' to put in a column. Choose one of: {', '.join(sorted(FIELDS))}"
            raise ValueError(message)
        return value

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.field and self.value:
            message = f"Column {self.name}: give field or value, and not both"
            raise ValueError(message)
        if dangerous(self.name) or dangerous(self.value):
            message = f"Column {self.name}: it begins with a sign that a spreadsheet takes for a formula"
            raise ValueError(message)
        if self.format and (self.field not in DAYS | TIMES | MOMENTS or not _FORMAT.fullmatch(self.format)):
            message = (
                f"Column {self.name}: a format belongs to a date or time, and is written as in %d/%m/%Y %H:%M"
            )
            raise ValueError(message)
        if self.field in CODES and 0 < self.longest < LONGEST_CODE and not self.needed:
            message = f"Column {self.name}: codes have up to two characters, and we never cut one. Add needed = true to send only shorter ones this way"
            raise ValueError(message)
        return self


class Layout(BaseModel):
    """A whole file: shipped with this plugin, or written into a channel by the provider."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(default="custom", pattern=r"^[a-z0-9-]{1,40}$", description="its name")
    version: str = Field(
        default="1", pattern=r"^[0-9.]{1,10}$", description="counted up whenever the columns change"
    )
    source: str = Field(default="", description="where it comes from")
    form: Literal["csv", "xml"] = Field(default="csv", description="csv or xml")
    rows: Literal["session", "week"] = Field(
        default="session", description="a row for each session, or for each pupil and week"
    )
    ending: str = Field(default="csv", pattern=r"^[A-Za-z0-9]{1,8}$", description="ending of the file's name")
    encoding: Literal["utf-8", "utf-8 with mark", "windows-1252", "iso-8859-1"] = Field(
        default="utf-8", description="utf-8, utf-8 with mark, windows-1252 or iso-8859-1"
    )
    delimiter: Literal["comma", "semicolon", "tab", "bar"] = Field(
        default="comma", description="between cells: comma, semicolon, tab or bar"
    )
    quoting: Literal["minimal", "all", "none"] = Field(
        default="minimal", description="quotes where needed, around all cells, or none"
    )
    header: bool = Field(default=True, description="whether the first line names the columns")
    line_end: Literal["crlf", "lf"] = Field(default="crlf", description="crlf or lf")
    root: str = Field(default="", description="XML: the outer element")
    row: str = Field(default="", description="XML: the element of each row")
    columns: tuple[Column, ...] = Field(
        min_length=1, max_length=100, description="the columns in their order"
    )

    @model_validator(mode="after")
    def _whole(self) -> Self:
        names = [column.name for column in self.columns]
        doubles = sorted({name for name in names if names.count(name) > 1})
        if doubles:
            message = f"Two columns are called {doubles[0]}"
            raise ValueError(message)
        fields = self.fields
        if not fields & PUPIL:
            message = "No column says which pupil it is: add upn or school_pupil_ref"
            raise ValueError(message)
        if self.rows == "week":
            if not fields & set(GRID) or "week_starts" not in fields:
                message = "A file of weeks needs week_starts and the codes of its half days, such as mon_am"
                raise ValueError(message)
        elif fields & set(GRID) or not {"date", "session"} <= fields:
            message = "A file of sessions needs date and session, and no codes of half days such as mon_am"
            raise ValueError(message)
        if not fields & {*CODES, "outcome", "happened", "comment"}:
            message = "No column says what happened: add suggested_code, outcome or happened"
            raise ValueError(message)
        if self.form == "xml":
            for name in (self.root, self.row, *names):
                if not _ELEMENT.fullmatch(name):
                    message = f"'{name}' cannot be an XML element's name; root, row and columns each need one"
                    raise ValueError(message)
        return self

    @property
    def fields(self) -> frozenset[str]:
        """What its columns hold."""
        return frozenset(column.field for column in self.columns if column.field)


@cache
def shipped() -> dict[str, Layout]:
    """Give the layouts that come with this plugin, by name."""
    folder = files("aphub_drop") / "layouts"
    found = (
        Layout.model_validate(tomllib.loads(entry.read_text("utf-8")))
        for entry in sorted(folder.iterdir(), key=lambda entry: entry.name)
        if entry.name.endswith(".toml")
    )
    return {layout.name: layout for layout in found}
