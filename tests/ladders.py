"""Ladders as a provider writes them, and the news that climbs them, for tests of cases, calls and letters."""

import json
from collections.abc import Mapping
from typing import Any

from aphub.domain.calls import CallResult
from aphub.domain.outcomes import Outcome
from aphub.services.calling import Call, call_about_step
from tests.world import Placed, World

JO = "Jo Weaver, office"


def _pairs(values: Mapping[str, Any]) -> list[str]:
    """Write keys and values; strings, numbers, true and lists are alike in JSON and TOML."""
    return [f"{json.dumps(name)} = {json.dumps(value)}" for name, value in values.items()]


def rung(name: str, do: str, by: str, owner: str = "office", **more: Any) -> dict[str, Any]:
    """Describe one step of a ladder."""
    return {"name": name, "do": do, "by": by, "owner": owner, **more}


def ladder(name: str, when: str, *rungs: Mapping[str, Any], **more: Any) -> str:
    """Write a ladder as a provider's file has it."""
    lines = [f"[ladders.{name}]", *_pairs({"when": when, **more})]
    for one in rungs:
        lines += [f"[[ladders.{name}.steps]]", *_pairs(one)]
    return "\n" + "\n".join(lines) + "\n"


def roles(**named: str) -> str:
    """Write who has which role; an underscore stands for a space."""
    return (
        "\n[roles]\n" + "\n".join(_pairs({name.replace("_", " "): who for name, who in named.items()})) + "\n"
    )


MISSING = ladder(
    "missing",
    "unexplained absence",
    rung("call-home", "phone home", "start + 15 min", until="reached", if_not_done="leadership"),
    rung("tell-dsl", "tell safeguarding lead", "start + 1 hour", opens="start + 30 min", until="reached"),
)
LEFT = ladder(
    "left",
    "left site",
    rung("search", "search", "at once"),
    rung("call-home", "phone home", "at once"),
    rung("tell-head", "tell leadership", "at once", until="done"),
    rung("incident", "write record", "next school day", "leadership", until="done"),
)


def absent(world: World, *pupils: Placed, **more: Any) -> None:
    """Let pupils be marked absent, and do what follows."""
    world.enter(pupils, outcome=Outcome.ABSENT, **more)
    world.go()


def missing(world: World, **more: Any) -> Placed:
    """Let one pupil not come at nine, and the register say so two minutes later."""
    pupil = world.pupil(**more)
    world.owe()
    world.at("09:02")
    absent(world, pupil)
    return pupil


def phoned(world: World, ref: str, result: str = "answered", **more: Any) -> str:
    """Keep a call about a case or a step; where somebody answered, it was the mother unless the test says otherwise."""
    if result == "answered":
        more.setdefault("answered_by", "Ms Example, mother")
    return call_about_step(world.desk, ref, Call(CallResult(result), JO, **more))
