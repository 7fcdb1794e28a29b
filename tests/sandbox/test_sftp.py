import asyncio
import stat
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import asyncssh
import pytest

from aphub.sandbox import SftpSink

Work = Callable[[asyncssh.SFTPClient], Awaitable[None]]


@pytest.fixture(scope="module")
def key() -> asyncssh.SSHKey:
    return asyncssh.generate_private_key("ssh-ed25519")


@pytest.fixture
def drop(key: asyncssh.SSHKey, tmp_path: Path) -> Iterator[SftpSink]:
    with SftpSink(tmp_path / "drop", authorized_keys=[key.export_public_key().decode()]) as drop:
        yield drop


@pytest.fixture
def ask(drop: SftpSink, key: asyncssh.SSHKey) -> Callable[..., None]:
    """Connect with the host key pinned, do some work, leave."""
    pinned = f"[127.0.0.1]:{drop.address[1]} {drop.host_public_key}\n"

    def ask(work: Work, **options: object) -> None:
        async def talk() -> None:
            settings: dict[str, object] = {
                "username": "aphub",
                "client_keys": [key],
                "known_hosts": asyncssh.import_known_hosts(pinned),
                "config": None,
                "agent_path": None,
            }
            async with (
                asyncssh.connect(*drop.address, **(settings | options)) as connection,
                connection.start_sftp_client() as files,
            ):
                await work(files)

        asyncio.run(asyncio.wait_for(talk(), 10))

    return ask


async def put(files: asyncssh.SFTPClient) -> None:
    async with files.open("week-10.csv.tmp", "wb") as file:
        await file.write(b"schema,reference\r\naphub-1,RB-7Q4K-1\r\n")
    await files.posix_rename("week-10.csv.tmp", "week-10.csv")


# How a cut shows depends on what the client was doing at that moment.
CUT = (asyncssh.ConnectionLost, asyncssh.SFTPConnectionLost, asyncssh.SFTPNoConnection, ConnectionError)
CONTENT = b"schema,reference\r\naphub-1,RB-7Q4K-1\r\n"


def test_a_file_lies_in_the_folder_under_its_last_name(drop: SftpSink, ask: Callable[..., None]):
    ask(put)
    assert drop.files() == {"week-10.csv": CONTENT}
    assert CONTENT in drop.received_bytes
    assert b"week-10.csv.tmp" in drop.received_bytes


def test_many_files_in_flight_on_one_connection(drop: SftpSink, ask: Callable[..., None]):
    async def work(files: asyncssh.SFTPClient) -> None:
        async def one(number: int) -> None:
            async with files.open(f"{number}.tmp", "wb") as file:
                await file.write(b"%d" % number * 700)
            await files.posix_rename(f"{number}.tmp", f"{number}.csv")

        await asyncio.gather(*map(one, range(60)))

    ask(work)
    assert drop.files() == {f"{number}.csv": b"%d" % number * 700 for number in range(60)}


def test_nobody_leaves_the_folder(drop: SftpSink, ask: Callable[..., None]):
    (drop.folder.parent / "secret").write_text("not for you")

    async def work(files: asyncssh.SFTPClient) -> None:
        with pytest.raises(asyncssh.SFTPNoSuchFile):
            await files.open("../secret", "rb")
        assert await files.realpath("../..") == "/"

    ask(work)


def test_plain_rename_never_overwrites(drop: SftpSink, ask: Callable[..., None]):
    async def work(files: asyncssh.SFTPClient) -> None:
        await put(files)
        async with files.open("other.tmp", "wb") as file:
            await file.write(b"other")
        with pytest.raises(asyncssh.SFTPError):
            await files.rename("other.tmp", "week-10.csv")

    ask(work)
    assert drop.files()["week-10.csv"] == CONTENT


def test_the_fingerprint_is_the_one_that_openssh_prints(drop: SftpSink):
    assert drop.fingerprint.startswith("SHA256:")
    assert asyncssh.import_public_key(drop.host_public_key).get_fingerprint() == drop.fingerprint


def test_a_host_key_file_is_made_once_and_kept_private(key: asyncssh.SSHKey, tmp_path: Path):
    public = [key.export_public_key().decode()]
    path = tmp_path / "host-key"
    first = SftpSink(tmp_path / "drop", authorized_keys=public, host_key=path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert SftpSink(tmp_path / "drop", authorized_keys=public, host_key=path).fingerprint == first.fingerprint


@pytest.mark.parametrize("who", ["another key", "another user", "a password"])
def test_only_known_keys_sign_in(drop: SftpSink, ask: Callable[..., None], who: str):
    options: dict[str, object] = {
        "another key": {"client_keys": [asyncssh.generate_private_key("ssh-ed25519")]},
        "another user": {"username": "root"},
        "a password": {"client_keys": None, "password": "aphub"},
    }[who]
    with pytest.raises(asyncssh.PermissionDenied):
        ask(put, **options)
    assert drop.files() == {}


# Moods


def test_a_swapped_host_key_is_seen_before_sign_in(drop: SftpSink, ask: Callable[..., None]):
    before = drop.fingerprint
    drop.swaps_host_key()
    assert drop.fingerprint != before
    with pytest.raises(asyncssh.HostKeyNotVerifiable):
        ask(put)
    assert drop.sign_ins == 0
    drop.accepts()
    assert drop.fingerprint == before
    ask(put)


@pytest.mark.parametrize(("at", "left"), [("open", {}), ("rename", {"week-10.csv.tmp": CONTENT})])
def test_refuses_says_permission_denied(
    drop: SftpSink, ask: Callable[..., None], at: str, left: dict[str, bytes]
):
    drop.refuses(at=at)
    with pytest.raises(asyncssh.SFTPPermissionDenied):
        ask(put)
    assert drop.files() == left


def test_a_full_disk_takes_no_byte(drop: SftpSink, ask: Callable[..., None]):
    drop.is_full()
    with pytest.raises(asyncssh.SFTPFailure, match="No space left"):
        ask(put)
    assert drop.files() == {"week-10.csv.tmp": b""}


def test_a_server_without_posix_rename_says_so(drop: SftpSink, ask: Callable[..., None]):
    drop.has_no_posix_rename()
    with pytest.raises(asyncssh.SFTPOpUnsupported):
        ask(put)


@pytest.mark.parametrize(
    ("at", "kept", "left"),
    [
        ("rename", True, {"week-10.csv": CONTENT}),
        ("rename", False, {"week-10.csv.tmp": CONTENT}),
        ("write", True, {"week-10.csv.tmp": CONTENT}),
        ("write", False, {"week-10.csv.tmp": b""}),
    ],
)
def test_cut_off_leaves_the_client_in_doubt(
    drop: SftpSink, ask: Callable[..., None], at: str, kept: bool, left: dict[str, bytes]
):
    drop.cuts_off_after_reading(at=at, kept=kept, times=1)
    with pytest.raises(CUT):
        ask(put)
    assert drop.files() == left
    ask(put)


def test_busy_turns_new_connections_away(drop: SftpSink, ask: Callable[..., None]):
    drop.is_busy(times=1)
    with pytest.raises(CUT):
        ask(put)
    ask(put)


def test_unreachable_and_back_on_the_same_port(drop: SftpSink, ask: Callable[..., None]):
    before = drop.address
    drop.is_unreachable()
    with pytest.raises(ConnectionRefusedError):
        ask(put)
    drop.up()
    assert drop.address == before
    ask(put)


def test_going_down_cuts_an_open_connection(drop: SftpSink, ask: Callable[..., None]):
    async def work(files: asyncssh.SFTPClient) -> None:
        await put(files)
        await asyncio.get_running_loop().run_in_executor(None, drop.down)
        await put(files)

    with pytest.raises(CUT):
        ask(work)


def test_a_late_answer_comes_after_the_file_is_there(drop: SftpSink, ask: Callable[..., None]):
    drop.answers_late(600)

    async def work(files: asyncssh.SFTPClient) -> None:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(put(files), 0.3)
        assert drop.files() == {"week-10.csv": CONTENT}
        # Leaving politely waits for the answer, so let it come.
        await asyncio.get_running_loop().run_in_executor(None, drop.accepts)

    ask(work)
    assert drop.files() == {"week-10.csv": CONTENT}


def test_a_new_mood_ends_a_slow_answer(drop: SftpSink, ask: Callable[..., None]):
    drop.is_slow(600)

    async def work(files: asyncssh.SFTPClient) -> None:
        waiting = asyncio.create_task(put(files))
        loop = asyncio.get_running_loop()
        assert await loop.run_in_executor(None, drop.hears, b"week-10")
        await loop.run_in_executor(None, drop.accepts)
        await waiting

    ask(work)
    assert drop.files() == {"week-10.csv": CONTENT}
