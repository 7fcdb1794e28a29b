"""Arbor's envelope: a code inside the answer that outranks the one of HTTP, and lists that give identities only."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from aphub.api import RefusedDeliveryError
from aphub.api.mis import Page, Wire, at

ROOT = "rest-v2"
_HREF = re.compile(r"/rest-v2/[a-z0-9_-]+/[A-Za-z0-9_-]+")
_OK, _ELSEWHERE, _BROKEN = 200, 300, 500

Resource = Mapping[str, Any]


class Resources:
    """Arbor's resources, read one by one: what a list leaves out is fetched."""

    def __init__(self, wire: Wire, page_size: int, most_pages: int) -> None:
        """Keep the wire."""
        self._wire = wire
        self._page_size = page_size
        self._most_pages = most_pages

    def all(self, name: str, filters: Mapping[str, str] | None = None, *, full: str) -> Iterator[Resource]:
        """Read a list; each row that lacks the field `full` is fetched by its own address."""
        asked = {f"filters.{field}.equals": value for field, value in (filters or {}).items()}

        def page(number: int) -> Page:
            paging = {"page-size": str(self._page_size), "page-number": str(number)}
            rows = _list_in(self._read(f"{ROOT}/{name}", asked | paging))
            if rows is None:
                raise self._wire.unreadable()
            return rows, len(rows) == self._page_size

        for row in self._wire.rows(page, self._most_pages):
            yield row if full in row else self._fetched(row)

    def may_read(self, name: str) -> str:
        """Ask for one row of a list; give the code of their refusal, empty where there is none."""
        try:
            self._read(f"{ROOT}/{name}", {"page-size": "1", "page-number": "1"})
        except RefusedDeliveryError as exc:
            return exc.code
        return ""

    def _fetched(self, row: Resource) -> Resource:
        """Fetch one by its address; one that leads elsewhere is not followed."""
        href = str(row.get("href", ""))
        if not _HREF.fullmatch(href):
            raise self._wire.unreadable("href")
        body = self._read(href.removeprefix("/"))
        found = next((one for key, one in body.items() if key != "response" and isinstance(one, dict)), None)
        if found is None:
            raise self._wire.unreadable()
        return {"href": href} | found

    def _read(self, path: str, params: Mapping[str, str] | None = None) -> dict[str, Any]:
        body = self._wire.read(path, params)
        if not isinstance(body, dict):
            raise self._wire.unreadable()
        code = code_in(body, _OK)
        if _OK <= code < _ELSEWHERE:
            return body
        if code >= _BROKEN:
            raise self._wire.unreadable(f"code {code}")
        raise RefusedDeliveryError(
            "Arbor did not let us read what we need. We changed nothing.",
            code=f"code {code}",
            what_now="Ask the school to approve our application in Arbor",
        )


def code_in(body: Any, otherwise: int) -> int:
    """Give the code inside the answer, which outranks that of HTTP."""
    code = at(body, "response.code")
    return int(code) if isinstance(code, int | str) and str(code).isdecimal() else otherwise


def _list_in(body: Mapping[str, Any]) -> list[Resource] | None:
    """Give the one list of the answer; its name is the resource's in another spelling."""
    lists = [one for key, one in body.items() if key != "response" and isinstance(one, list)]
    if len(lists) != 1 or not all(isinstance(row, dict) for row in lists[0]):
        return None
    return list(lists[0])
