"""What people may ask for about themselves: everything held, and a note on what is disputed."""

from pathlib import Path

import click

from aphub.cli.ground import NEEDS_A_PERSON, Ground, by_option

pupil = click.argument("pupil")


@click.command("access-request")
@pupil
@click.option(
    "--to", "folder", required=True, type=click.Path(file_okay=False, path_type=Path), help="A new folder."
)
@click.option(
    "--form",
    "forms",
    multiple=True,
    type=click.Choice(("html", "pdf", "txt", "xlsx", "csv")),
    default=("html",),
    show_default="html",
    help="In which form, beside the JSON; may be repeated.",
)
@click.option(
    "--reviewed",
    "marked",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="FILE",
    help="The draft's review.csv with your mark on each text: writes what is handed over.",
)
@click.option(
    "--because", default="", metavar="WHY", help="Whose request, such as: parent, 3 March. No names."
)
@by_option(needed=True)
@click.pass_context
def access_request(
    ctx: click.Context,
    pupil: str,
    folder: Path,
    forms: tuple[str, ...],
    marked: Path | None,
    because: str,
    by: str,
) -> None:
    """Write everything held about PUPIL without other people: first a draft to read, then what is handed over."""
    from aphub.services import access_request as asking  # noqa: PLC0415 - papers are slow to load

    ground: Ground = ctx.obj
    with ground.desk() as desk:
        if marked is None:
            found = asking.draft(desk, pupil, folder, by, because, forms)
        else:
            review = (marked.name, marked.read_bytes())
            found = asking.hand_over(desk, pupil, folder, by, because, review, forms)
    click.echo(f"{found.records} records. Written:")
    for path in found.files:
        click.echo(f"  {path}")
    if marked is None:
        click.echo(
            f"Read the {found.to_read} texts in {asking.REVIEW} for other people, and mark each: give, give whole, "
            "cut (with the words), or leave out. Then:"
        )
        click.echo(
            f"  aphub access-request {pupil} --reviewed {folder / asking.REVIEW} --to NEW-FOLDER --by NAME"
        )
    else:
        click.echo("Hand over what stands in this folder, and delete the draft.")
    click.echo("Answer within one month. What lies in your mailboxes and on paper is not in it.")
    ctx.exit(NEEDS_A_PERSON if marked is None else 0)


@click.command()
@pupil
@click.option("--says", required=True, help="What is disputed, in their words.")
@click.option(
    "--about", default="", metavar="DAY|REFERENCE", help="Which day or message. Default: the whole record."
)
@click.option("--answer", default="", help="What you say to it.")
@by_option()
@click.pass_obj
def rectify(ground: Ground, pupil: str, says: str, about: str, answer: str, by: str) -> None:
    """Keep a note on PUPIL's record that goes wherever the record goes. A wrong mark: aphub correct."""
    from aphub.services.rectify import add_note  # noqa: PLC0415 - only this verb needs it

    with ground.desk() as desk:
        ref, told = add_note(desk, pupil, by, says, about, answer)
    click.echo(f"The note is kept. Reference {ref}.")
    if told:
        click.echo(
            f"Tell those who were told of the record: {', '.join(told)}. Each is a task in: aphub waiting"
        )
