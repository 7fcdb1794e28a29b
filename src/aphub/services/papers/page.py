"""A paper as one accessible page of HTML: for a browser with its charts drawn, for a mail with their tables alone."""

from collections.abc import Sequence
from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined, Template
from markupsafe import Markup

from aphub.domain.papers import CONFIDENTIAL, Figure, Paper, head_lines
from aphub.services.papers.charts import svg_of


def as_page(paper: Paper) -> bytes:
    """Fill the template with charts drawn in the page; nothing is fetched from anywhere."""
    return _filled(paper, drawn=True)


def as_mail_body(paper: Paper, before: Sequence[str] = (), after: Sequence[str] = ()) -> bytes:
    """Fill the template for mail programs, which show no drawings: each chart's table says the same.

    `before` and `after` are the message's own lines, around the paper's.
    """
    return _filled(paper, drawn=False, before=before, after=after).replace(b"\n", b"\r\n")


def _filled(paper: Paper, *, drawn: bool, before: Sequence[str] = (), after: Sequence[str] = ()) -> bytes:
    return (
        _template()
        .render(
            paper=paper,
            before=before,
            after=after,
            head=head_lines(paper),
            confidential=CONFIDENTIAL if paper.personal else "",
            svg=(lambda figure: Markup(svg_of(figure.chart))) if drawn else _no_drawing,  # noqa: S704 - escaped there
            kind=lambda part: type(part).__name__.lower(),
            is_number=lambda cell: not isinstance(cell, str),
        )
        .encode()
    )


def _no_drawing(_figure: Figure) -> str:
    return ""


@cache
def _template() -> Template:
    loader = PackageLoader("aphub.services", "templates")
    environment = Environment(
        loader=loader,
        autoescape=True,
        undefined=StrictUndefined,
        auto_reload=False,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("paper.html")
