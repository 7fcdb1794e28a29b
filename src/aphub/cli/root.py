"""`aphub` itself: where the hub is, which verbs there are, and what becomes of errors."""

from importlib import import_module
from pathlib import Path
from typing import Any

import click

from aphub import __version__
from aphub.cli.ground import NEEDS_A_PERSON, Ground

VERBS: dict[str, tuple[str, str, str]] = {
    "demo": ("played", "demo", "Play one school day with invented pupils."),
    "init": ("begin", "init", "Make a new hub, with its recovery key and a starter configuration."),
    "apply": ("begin", "apply", "Publish the configuration, after showing what it changes."),
    "secret": ("keeping", "secret", "Keep passwords and tokens out of files."),
    "plugins": ("plugging", "plugins", "List what is installed and what it can, or make a new one."),
    "import": ("coming_in", "import_people", "Take pupils, placements and recipients in from a file."),
    "ingest": ("coming_in", "ingest", "Take one register in."),
    "normalise": ("coming_in", "normalise", "Show what a register says, row by row; nothing is changed."),
    "answer": ("coming_in", "answer", "Settle a mark that we could not read."),
    "correct": ("coming_in", "correct", "Say what really happened at a lesson."),
    "absence": ("news", "absence", "Keep that a pupil is or was away, and why."),
    "decision": ("news", "decision", "Keep what a pupil's own school decided."),
    "absences": ("news", "absences", "List who is known to be away, and what schools decided."),
    "end-absence": ("news", "end_absence", "End a known absence early, or take a decision back."),
    "cancel-lessons": ("news", "cancel_lessons", "Cancel lessons in one step: schools are told at once."),
    "cancelled": ("news", "cancelled", "List what we cancelled, and where each pupil is instead."),
    "stays": ("news", "stays", "Keep where a pupil is instead of a cancelled lesson."),
    "reasons": ("checking", "reasons", "List absences that nobody has explained yet, with their age."),
    "not-due": ("checking", "not_due", "List who is not due tomorrow, and why."),
    "attends": ("checking", "attends", "Keep who stays away when their own school is closed."),
    "channels": ("ways", "channels", "List the ways to schools and councils, and what is next for each."),
    "check": ("ways", "check", "Prove a way to a school or council, step by step."),
    "test-report": ("ways", "test_report", "Send a TEST message about invented pupils, with a code."),
    "read-back": ("ways", "read_back", "Type in the code that the school read back by phone."),
    "approve": ("ways", "approve", "Let pupils' data leave by a way: a second person does this."),
    "pause": ("ways", "pause", "Let nothing leave by a way until it is resumed."),
    "resume": ("ways", "resume", "Let a paused way be used again."),
    "run": ("running", "run", "Take in, tell and deliver, until stopped."),
    "today": ("looking", "today", "Say how the day stands for each school and council."),
    "waiting": ("looking", "waiting", "List what waits for a person, and what to do about it."),
    "cases": ("following", "cases", "List pupils about whom something is to be done, one line each."),
    "case": ("following", "case", "Show one pupil's day: what to do, what to say, what was done."),
    "acknowledge": ("following", "acknowledge", "Take a case on: others see that it is yours."),
    "call": ("following", "call", "Keep what came of a telephone call."),
    "step": ("following", "step", "Say that a step of a case is done, or is not needed."),
    "found": ("following", "found", "Say that a pupil who left the site is found and safe."),
    "letter": ("following", "letter", "Read a letter home, and release it."),
    "contact": ("contacts", "contact", "Show who is reached at home, or restrict that."),
    "sheet": ("sheets", "sheet", "Print tomorrow's register, for when the hub is away."),
    "typed": ("sheets", "typed", "Type in what stands on a printed sheet."),
    "plan": ("plans", "plan", "Keep a plan for a pupil who is known not to attend, or end one."),
    "plans": ("plans", "plans", "List such plans."),
    "log": ("looking", "log", "List messages, newest first."),
    "show": ("one", "show", "Show everything about one message."),
    "preview": ("one", "preview", "Show what is sent, byte for byte, or a draft for today."),
    "explain": ("one", "explain", "Say why something was sent, or was not."),
    "retry": ("acting", "retry", "Try a message again now: the same bytes."),
    "send-again": (
        "acting",
        "send_again",
        "Send the same report in a new message to the address approved now.",
    ),
    "settle": (
        "acting",
        "settle",
        "Say what became of a message that may have arrived, or that a task is done.",
    ),
    "release": ("acting", "release", "Let a held report leave, however late it is."),
    "confirm": ("acting", "confirm", "Keep that a person at the school has a message."),
    "summary": ("summing", "summarise", "Write how a day, week, month or term went."),
    "audit": ("summing", "audited", "Write a paper for who audits, or what a council asks."),
    "export": ("exporting", "export", "Write what a school's or council's census asks of its placements."),
    "verify": ("proving", "verify", "Check the whole ledger, or a folder of evidence."),
    "evidence": ("proving", "evidence", "Write proof that anyone can check without us."),
    "backup": ("saving", "backup", "Copy the database, and its keys apart from it."),
    "restore": ("saving", "restore", "Put a backup back, and list what may have been sent since."),
    "key-copies": ("saving", "key_copies", "List copies of the keys, or say that one is gone."),
    "erase": ("guarding", "erase", "Erase one pupil for good, and say when that is complete."),
    "erased": ("guarding", "erased", "List what was erased: who asked for it, or by whose rule."),
    "legal-hold": ("guarding", "legal_hold", "Keep everything of one pupil until the hold is ended."),
    "purge": ("guarding", "purge", "Let go of what has been kept long enough."),
    "access-request": ("rights", "access_request", "Write everything held about one pupil."),
    "rectify": ("rights", "rectify", "Keep a note on a record that goes wherever it goes."),
    "wrong-school": ("guarding", "wrong_school", "Do what must be done when a wrong school was told."),
    "offboard": ("guarding", "offboard", "Close a provider: its ledger stays, all else is destroyed."),
    "viewed": ("guarding", "viewed", "List who viewed or exported what."),
    "sandbox": ("played", "sandbox", "Start a stand-in for a mail server, a secure drop or an MIS."),
}
"""Each verb's module, the command in it, and its line in the help: `aphub --help` loads none of them."""

GROUPS: dict[str, tuple[str, ...]] = {
    "See it work": ("demo", "sandbox"),
    "Set up": ("init", "apply", "secret", "plugins", "import"),
    "Open a way to a school or council": (
        "channels", "check", "test-report", "read-back", "approve", "pause", "resume",
    ),
    "Run": ("run",),
    "How the day stands": ("today", "waiting", "log", "show", "preview", "explain", "not-due"),
    "Registers": ("ingest", "normalise", "answer", "correct", "sheet", "typed"),
    "Absences, decisions, cancelled lessons": (
        "absence", "decision", "absences", "end-absence", "reasons", "attends",
        "cancel-lessons", "cancelled", "stays",
    ),
    "Pupils who are not where they should be": (
        "cases", "case", "acknowledge", "call", "step", "found", "letter", "contact", "plan", "plans",
    ),
    "A message that did not arrive": ("retry", "send-again", "settle", "release", "confirm", "wrong-school"),
    "Papers and proof": ("summary", "audit", "export", "verify", "evidence", "viewed"),
    "Data protection": ("access-request", "rectify", "erase", "erased", "legal-hold", "purge", "offboard"),
    "Keep it safe": ("backup", "restore", "key-copies"),
}  # fmt: skip
"""Where people look for a verb: by what they are about to do."""


class Verbs(click.Group):
    """Loads a verb when it is asked for, and says errors in short lines, never as a traceback."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click asks so
        """Name the verbs."""
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - likewise
        """Load a verb's module."""
        if cmd_name not in VERBS:
            return None
        module, name, words = VERBS[cmd_name]
        command = getattr(import_module(f"aphub.cli.{module}"), name)
        if not isinstance(command, click.Command):
            message = f"aphub.cli.{module}.{name} is no command"
            raise TypeError(message)
        command.short_help = words
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find a verb; a misspelt one is answered with the nearest."""
        if args and args[0] not in VERBS and not args[0].startswith("-"):
            from difflib import get_close_matches  # noqa: PLC0415 - only for who mistypes

            near = get_close_matches(args[0], VERBS, n=1)
            mend = f"Did you mean '{near[0]}'?" if near else "See: aphub --help"
            ctx.fail(f"There is no command '{args[0]}'. {mend}")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - likewise
        """Write the verbs from the table above, so that none is loaded for it."""
        grouped = {name for names in GROUPS.values() for name in names}
        others = tuple(name for name in VERBS if name not in grouped)
        with formatter.section("Commands"):
            for title, names in (*GROUPS.items(), ("Others", others)):
                known = [(name, VERBS[name][2]) for name in names if name in VERBS]
                if known:
                    with formatter.section(title):
                        formatter.write_dl(known, col_max=18)

    def invoke(self, ctx: click.Context) -> Any:
        """Run a verb; what stops it is said in plain words, and the exit status tells whose turn it is."""
        try:
            return super().invoke(ctx)
        except click.MissingParameter:
            raise
        except click.BadParameter as exc:
            # click says "Invalid value for 'FILE': File 'x' does not exist."; the second half is what helps.
            hint = exc.param.get_error_hint(exc.ctx) if exc.param and exc.ctx else ""
            about = "" if isinstance(exc.param, click.Argument) else f"{hint}: "
            raise click.UsageError(
                f"{about}{exc.message}".replace("'--", "--").replace("':", ":"), exc.ctx
            ) from exc
        except (click.Abort, KeyboardInterrupt):
            click.echo("\nStopped. Nothing more was changed.", err=True)
            ctx.exit(NEEDS_A_PERSON)
        except (click.ClickException, click.exceptions.Exit, BrokenPipeError):
            raise
        except Exception as exc:  # noqa: BLE001 - the edge of the program: nobody above it reads tracebacks
            from aphub.cli.trouble import say_trouble  # noqa: PLC0415 - only when there is trouble

            ctx.exit(say_trouble(exc))


@click.group(
    "aphub", cls=Verbs, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 80}
)
@click.option(
    "--home",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path(),
    envvar="APHUB_HOME",
    show_default="the present folder",
    help="The hub's folder; also APHUB_HOME.",
)
@click.option("--provider", default="", metavar="NAME", help="Which provider, where a hub serves several.")
@click.version_option(__version__, prog_name="aphub")
@click.pass_context
def main(ctx: click.Context, home: Path, provider: str) -> None:
    """Tell schools and councils, on time and provably, how the pupils they placed attend.

    Exit status: 0 done, 1 something needs a person, 2 used wrongly.
    """
    ctx.obj = Ground(home, provider)
