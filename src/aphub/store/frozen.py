"""How a report's lines and a dispatch's documents are kept: frozen once, read back exactly."""

import json
import struct
import zlib
from collections.abc import Sequence
from datetime import date, datetime, time
from typing import Any

from aphub.api.adapters import Document
from aphub.domain.entries import Action, Fact, Half, SessionEntry, Suggestion
from aphub.domain.outcomes import Mode, Outcome, ReasonKind
from aphub.domain.reports import Row

_LENGTH = struct.Struct(">I")
_PRESSED = (
    b"\x78"  # the first byte of zlib's form (RFC 1950 2.2); that of a length is 0, up to 16 MB of header
)
_QUICKLY = 1
_from_text = json.JSONDecoder().raw_decode  # of what we wrote: `loads` would guess the encoding first
_as_text = json.JSONEncoder(ensure_ascii=False).encode


def lines_to_data(lines: Sequence[SessionEntry]) -> list[dict[str, Any]]:
    """Write report lines as plain data; the note, which is free text, stays behind."""
    return [
        {
            "day": line.day.isoformat(),
            "half": line.half.value,
            "outcome": line.fact.outcome.value,
            "reason": line.fact.reason.value,
            "minutes": line.fact.minutes,
            "word": line.fact.provider_word,
            "code": line.suggestion.code,
            "why": line.suggestion.why,
            "question": line.suggestion.question,
            "code_set": line.suggestion.code_set,
            "starts": f"{line.starts:%H:%M}",
            "ends": f"{line.ends:%H:%M}",
            "mode": line.mode.value,
            "actions": [[action.at.isoformat(), action.kind, action.result] for action in line.actions],
            "disagreement": line.disagreement,
        }
        for line in lines
    ]


def lines_from_data(data: Sequence[dict[str, Any]]) -> tuple[SessionEntry, ...]:
    """Read report lines back."""
    return tuple(
        SessionEntry(
            day=date.fromisoformat(one["day"]),
            half=Half(one["half"]),
            fact=Fact(
                Outcome(one["outcome"]), ReasonKind(one["reason"]), one["minutes"], provider_word=one["word"]
            ),
            suggestion=Suggestion(one["code"], one["why"], one["question"], one["code_set"]),
            starts=time.fromisoformat(one["starts"]),
            ends=time.fromisoformat(one["ends"]),
            mode=Mode(one["mode"]),
            actions=tuple(
                Action(datetime.fromisoformat(at), kind, result) for at, kind, result in one["actions"]
            ),
            disagreement=one["disagreement"],
        )
        for one in data
    )


def pack(
    documents: Sequence[Document],
    rows: Sequence[Row],
    row_reports: Sequence[str],
    papers: Sequence[dict[str, Any]] = (),
) -> bytes:
    """Put a dispatch's documents and rows into one byte string: header length, JSON header, contents; and press it.

    Every row has the same columns in the same order. `papers` are what a summary was made of, as plain data. A message
    repeats itself and is a quarter as long pressed; SQLite writes it anew with each change of its row's state.
    """
    by_column = (
        dict(zip(rows[0], zip(*(row.values() for row in rows), strict=True), strict=True)) if rows else {}
    )
    same = {
        column: values[0] for column, values in by_column.items() if values.count(values[0]) == len(values)
    }
    columns = [column for column in by_column if column not in same]
    header = _as_text(
        {
            "documents": [[one.name, one.media_type, len(one.content)] for one in documents],
            # What all rows say stands once: most of a row does.
            "same": same,
            "columns": columns,
            "rows": list(zip(*(by_column[column] for column in columns), strict=True)) or [[]] * len(rows),
            "row_reports": list(row_reports),
            **({"papers": list(papers)} if papers else {}),
        }
    ).encode()
    packed = b"".join((_LENGTH.pack(len(header)), header, *(one.content for one in documents)))
    pressed = zlib.compress(packed, _QUICKLY)
    return pressed if len(pressed) < len(packed) else packed


def _unpressed(packed: bytes) -> bytes:
    """Give what `pack` put together; what an older aphub packed, or what does not get shorter, was never pressed."""
    return zlib.decompress(packed) if packed[:1] == _PRESSED else packed


def unpack(packed: bytes) -> tuple[tuple[Document, ...], tuple[Row, ...], tuple[str, ...]]:
    """Read a dispatch's documents, rows and the report of each row back."""
    packed = _unpressed(packed)
    [length] = _LENGTH.unpack_from(packed)
    start = _LENGTH.size
    header = _from_text(packed[start : start + length].decode())[0]
    start += length
    documents = []
    for name, media_type, size in header["documents"]:
        documents.append(Document(name, media_type, packed[start : start + size]))
        start += size
    same, columns = header["same"], header["columns"]
    rows = tuple({**same, **dict(zip(columns, values, strict=True))} for values in header["rows"])
    return tuple(documents), rows, tuple(header["row_reports"])


def unpack_papers(packed: bytes) -> tuple[dict[str, Any], ...]:
    """Read back what a summary was made of; nothing for a report."""
    packed = _unpressed(packed)
    [length] = _LENGTH.unpack_from(packed)
    header = _from_text(packed[_LENGTH.size : _LENGTH.size + length].decode())[0]
    return tuple(header.get("papers", ()))
