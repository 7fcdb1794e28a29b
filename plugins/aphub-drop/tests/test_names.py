"""File names: from safe fields only, judged when they are written."""

import re

import pytest
from pydantic import ValidationError

from aphub.api import Kind
from aphub.testing import PLANTED_PUPIL, sample_message, sample_outbound
from aphub_drop import DropAdapter, DropRoute
from aphub_drop.naming import FIELDS


def names(kind=Kind.ROUTINE, **settings: object):
    outbound = sample_outbound(sample_message(kind=kind))
    return [document.name for document in DropAdapter.compose(outbound, DropRoute(folder="hill", **settings))]


@pytest.mark.parametrize("some", [FIELDS[:4], FIELDS[4:]])
def test_every_field_is_safe_and_names_no_pupil(some):
    template = "{reference}" + "".join(f"_{{{field}}}" for field in some)
    [name] = names(file_name=template, layout="g4s")
    assert re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*\.csv", name)
    for word in (PLANTED_PUPIL.upn, PLANTED_PUPIL.family_name, "Hill"):
        assert word not in name


def test_a_test_is_named_one_whatever_the_template():
    assert names(Kind.TEST, file_name="att-{reference}")[0].startswith("TEST-att-")
    assert names(Kind.TEST, file_name="att_{test}{reference}")[0].startswith("att_TEST-RB-")
    assert "TEST" not in names(file_name="att_{test}{reference}")[0]


def test_what_comes_last_says_that_all_is_there():
    file = names()[0]
    assert names(beside=("sha256", "count")) == [f"{file}.sha256", f"{file}.count", file]
    assert names(beside=("sha256",), ready_file=".done") == [file, f"{file}.sha256", f"{file}.done"]


@pytest.mark.parametrize(
    ("template", "words"),
    [
        ("attendance", "Add {reference}"),
        ("{pupil_name}-{reference}", "no field {pupil_name}"),
        ("{reference:>90}", "no field"),
        ("{reference!r}", "no field"),
        ("{reference.__class__}", "no field"),
        ("{0}{reference}", "no field"),
        ("../{reference}", "letters, digits"),
        ("a b{reference}", "letters, digits"),
        ("{reference", "letters, digits"),
        (".{reference}", "begins with"),
        ("{reference}.", "begins with"),
        ("CON.{reference}", "Windows"),
        ("x" * 110 + "{reference}", "at most"),
    ],
)
def test_a_template_that_could_mean_something_else_is_refused(template, words):
    with pytest.raises(ValidationError, match=re.escape(words)):
        DropRoute(folder="hill", file_name=template)


@pytest.mark.parametrize("ending", ["done", ".", ". done", "../x", ".a/b", "." + "x" * 13])
def test_the_ready_files_ending_is_plain(ending):
    with pytest.raises(ValidationError):
        DropRoute(folder="hill", ready_file=ending)
