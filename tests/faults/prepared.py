"""The hub that every fault is tried on: made once for each kind of store, then copied."""

from datetime import UTC, datetime
from pathlib import Path

from pydantic import SecretStr

from aphub.clock import PlayedClock
from aphub.hub import create_hub, open_hub
from aphub.sealing import MasterKey
from tests.faults.far_sides import FarSides
from tests.told import FarSides as NoFarSides
from tests.world import HUB, PROVIDER, TWO_A_DAY, World

NOW = datetime(2026, 3, 3, 8, 55, tzinfo=UTC)
PROTECTION = 'protection = "attested"\nattestation = {kind = "mta-sts", what = "MTA-STS in enforce mode", on = 2026-02-16}\n'
HEADER = "Pupil Ref,Date,Start time,Attendance,Minutes\n"
MORNING = (
    ("P0001", "present", ""),
    ("P0002", "absent", ""),  # nobody knows why: an alert at once
    ("P0004", "present", ""),
    ("P0005", "late", "10"),
    ("P0006", "present", ""),
)  # the registers of P0003 and P0007 are not taken
CORRECTION = (("P0001", "late", "20"), ("P0003", "present", ""), ("P0007", "present", ""))


def register(marks: tuple[tuple[str, str, str], ...]) -> str:
    """Write a register as the office exports it."""
    return HEADER + "".join(f"{ref},03/03/2026,09:00,{mark},{minutes}\n" for ref, mark, minutes in marks)


def prepare(home: Path, store_url: str, sides: FarSides, private_key: str) -> None:
    """Make a hub with three organisations and seven pupils, ready for the day."""
    home.mkdir()
    (home / "hub.toml").write_text(f'{HUB}[store]\nurl = "{store_url}"\n')
    create_hub(home, MasterKey.generate(), simulated=True)
    mail_port, drop_port = sides.mail.address[1], sides.drop.address[1]
    config = home / "config"
    (config / "providers" / "riverbank.toml").write_text(
        PROVIDER
        + f"""
[feeds.registers]
source = "inbox"
folder = "inbox"
still_for = 0
[connections.mail]
adapter = "email"
host = "127.0.0.1"
port = {mail_port}
ca_file = "{sides.authority.ca_path}"
from_address = "attendance@riverbank.example.org"
[connections.drop]
adapter = "drop"
host = "127.0.0.1"
port = {drop_port}
user = "aphub"
host_key = "{sides.drop.fingerprint}"
client_key = "secret:drop-key"
"""
    )
    for slug in ("hill-school", "vale-school"):
        (config / "schools" / f"{slug}.toml").write_text(
            f'name = "{slug}"\n[[channels]]\nname = "email"\nconnection = "mail"\n'
            f'address = "attendance@{slug}.example.org"\n{PROTECTION}'
        )
    (config / "councils" / "northshire.toml").write_text(
        'name = "Northshire"\nla_code = "999"\n'
        '[[channels]]\nname = "drop"\nconnection = "drop"\nfolder = "northshire"\n'
    )
    (config / "agreements" / "daily.toml").write_text('from = 2025-09-01\ncadence = "daily"\ndue = "09:45"\n')
    clock = PlayedClock(NOW)
    hub = open_hub(home, clock=clock, environment={})
    try:
        hub.keys.set_secret("drop-key", SecretStr(private_key), NOW)
        hub.apply("test")
        world = World(home, hub, clock, NoFarSides())
        world.go_live()
        for told in ("hill-school",) * 3 + ("vale-school",) * 2 + ("northshire",) * 2:
            world.pupil(told, slots=TWO_A_DAY)
        world.owe()
    finally:
        hub.close()
    for name in ("inbox", "office"):
        (home / name).mkdir(exist_ok=True)
    (home / "office" / "morning.csv").write_text(register(MORNING))
    (home / "office" / "correction.csv").write_text(register(CORRECTION))
    (home / "clock").write_text(NOW.isoformat())
