"""A summary in the folder: papers for people beside the reports, named, locked and counted as they are."""

from dataclasses import dataclass

import pytest
from pydantic import ValidationError

from aphub.api import Rung
from aphub.testing import (
    PLANTED_PUPIL,
    plain_rendering,
    sample_delivery,
    sample_outbound,
    sample_summary,
    sample_tools,
)
from aphub_drop import DropAdapter, DropRoute, FolderAdapter, FolderConnection, FolderRoute

PAPERS = {"summary-xlsx": b"a workbook", "summary-pdf": b"a paper"}


@dataclass(frozen=True)
class Fixed:
    """A renderer that gives one content, when asked for names."""

    name: str
    media_type: str = "application/octet-stream"

    def render(self, message, *, named):
        assert named
        assert message.paper is not None
        return PAPERS[self.name]


def outbound(*names: str):
    rendering = plain_rendering()
    rendering.by_name.update({name: Fixed(name) for name in names})
    message = sample_summary()
    return message, sample_outbound(message, rendering=rendering)


def test_its_workbook_and_its_pdf_lie_there_whatever_the_layout_and_name_no_pupil_outside(tmp_path):
    message, both = outbound(*PAPERS)
    route = FolderRoute(folder="hill", layout="week", beside=("sha256",), summaries=True)
    documents = FolderAdapter.compose(both, route)
    stem = f"aphub-2026-W10-{message.reference}"
    names = [one.name for one in documents]
    assert names == [f"{stem}.xlsx.sha256", f"{stem}.xlsx", f"{stem}.pdf.sha256", f"{stem}.pdf"]
    assert [documents[1].content, documents[3].content] == list(PAPERS.values())
    assert not [name for name in names if PLANTED_PUPIL.upn in name or PLANTED_PUPIL.name in name]

    # Where no PDF can be made the workbook goes alone; a ready file follows each.
    _, alone = outbound("summary-xlsx")
    ready = DropAdapter.compose(alone, DropRoute(folder="hill", ready_file=".done", summaries=True))
    assert [one.name for one in ready] == [f"{stem}.xlsx", f"{stem}.xlsx.done"]

    (tmp_path / "hill").mkdir()
    adapter = FolderAdapter(FolderConnection(path=tmp_path, must_be_mounted=False), sample_tools())
    put = sample_delivery(FolderAdapter, route, message=message, documents=documents)
    assert adapter.deliver(put).rung is Rung.HANDED_OVER
    assert sorted(path.name for path in (tmp_path / "hill").iterdir()) == sorted(names)


def test_it_goes_there_only_where_they_agreed_and_no_machine_answers():
    plain, agreed = DropRoute(folder="hill"), DropRoute(folder="hill", summaries=True)
    assert (plain.takes_summaries(), agreed.takes_summaries()) == (False, True)
    # A channel approved before there were summaries is the same place still; that people read there is another.
    assert "summaries" not in plain.destination()
    assert agreed.destination() != plain.destination()
    with pytest.raises(ValidationError, match="a channel and a folder of their own"):
        DropRoute(folder="hill", summaries=True, answers={})
