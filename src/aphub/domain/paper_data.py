"""A paper as plain data and back: how one is kept, so that it can be sent again word for word."""

from dataclasses import fields, is_dataclass
from datetime import datetime
from typing import Any

from aphub.domain import papers

_IS = "is"
_KINDS: dict[str, Any] = {
    kind.__name__: kind
    for kind in (
        papers.Bars,
        papers.Facts,
        papers.Figure,
        papers.Heading,
        papers.HeatMap,
        papers.Hours,
        papers.NewPage,
        papers.Paper,
        papers.Share,
        papers.Signature,
        papers.Table,
        papers.Text,
    )
}


def paper_to_data(paper: papers.Paper) -> dict[str, Any]:
    """Write a paper as what JSON can hold."""
    told: dict[str, Any] = _told(paper)
    return told


def paper_from_data(data: dict[str, Any]) -> papers.Paper:
    """Read a paper back; raises KeyError or TypeError for what was never one."""
    found = _read(data)
    if not isinstance(found, papers.Paper):
        message = "this is not a paper"
        raise TypeError(message)
    return found


def _told(value: Any) -> Any:
    if is_dataclass(value):
        return {
            _IS: type(value).__name__,
            **{one.name: _told(getattr(value, one.name)) for one in fields(value)},
        }
    if isinstance(value, tuple):
        return [_told(one) for one in value]
    return {_IS: "at", "at": value.isoformat()} if isinstance(value, datetime) else value


def _read(value: Any) -> Any:
    if isinstance(value, list):
        return tuple(_read(one) for one in value)
    if not isinstance(value, dict):
        return value
    if value[_IS] == "at":
        return datetime.fromisoformat(value["at"])
    return _KINDS[value[_IS]](**{name: _read(one) for name, one in value.items() if name != _IS})
