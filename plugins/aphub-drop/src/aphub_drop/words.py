"""Every sentence that people read when a drop does not work: what happened, what we did, what to do."""

from aphub.api import (
    RefusedDeliveryError,
    TransientDeliveryError,
    UncertainDeliveryError,
)


def not_found(host: str) -> TransientDeliveryError:
    """Say that the name has no address."""
    return TransientDeliveryError(
        f"We cannot find a server called {host}. Nothing was sent.",
        code="name not found",
        what_now="Check the spelling of host with the organisation's IT team",
    )


def not_reached(host: str, code: str) -> TransientDeliveryError:
    """Say that nothing answers there, or it hangs up before it says who it is."""
    return TransientDeliveryError(
        f"The drop server {host} cannot be reached. Nothing was sent.",
        code=code,
        what_now="Ask their IT team whether it runs, and whether it lets our address in",
    )


def another_server() -> RefusedDeliveryError:
    """Say that the host key is not the pinned one."""
    return RefusedDeliveryError(
        "The server is not the one you approved. We have stopped before signing in.",
        code="host key changed",
        what_now="Do not approve the new fingerprint until the organisation confirms it by phone",
    )


def no_common_ground() -> RefusedDeliveryError:
    """Say that no cipher or key exchange that both sides accept."""
    return RefusedDeliveryError(
        "The server offers only encryption that is no longer safe. Nothing was sent.",
        code="no common algorithm",
        what_now="Ask their IT team to allow AES-GCM and a current key exchange",
    )


def sign_in_refused() -> RefusedDeliveryError:
    """Say that the server does not take our key."""
    return RefusedDeliveryError(
        "The server did not accept our key for this account. Nothing was sent.",
        code="sign-in rejected",
        what_now="Ask their IT team to add our public key to the account named in user",
    )


def unreadable_key() -> RefusedDeliveryError:
    """Say that our own private key cannot be used."""
    return RefusedDeliveryError(
        "Our private key cannot be read. Nothing was sent.",
        code="client key",
        what_now="Store it again as OpenSSH text without a passphrase: aphub secret set",
    )


def locked_key() -> RefusedDeliveryError:
    """Say that our own private key wants a passphrase, which nobody types at 09:45."""
    return RefusedDeliveryError(
        "Our private key is locked with a passphrase. Nothing was sent.",
        code="client key",
        what_now="Take the passphrase off a copy (ssh-keygen -p), and store that: aphub secret set",
    )


def no_key_file(why: str) -> RefusedDeliveryError:
    """Say that the file of our own private key cannot be read."""
    return RefusedDeliveryError(
        f"The file client_key_file cannot be read ({why}). Nothing was sent.",
        code="client key",
        what_now="Check its path, and that the hub's own user may read it",
    )


def weak_key() -> RefusedDeliveryError:
    """Say that our own private key is of a kind that no good server takes."""
    return RefusedDeliveryError(
        "Our private key is of a kind that is no longer safe. Nothing was sent.",
        code="client key",
        what_now="Make an Ed25519 key, or RSA of 2048 bits or more, and give its public half to the organisation",
    )


def no_sftp() -> RefusedDeliveryError:
    """Say that the account exists, but not for files."""
    return RefusedDeliveryError(
        "The server let us in but does not offer SFTP to this account. Nothing was sent.",
        code="no sftp",
        what_now="Ask their IT team to allow the sftp subsystem for the account",
    )


def no_folder() -> RefusedDeliveryError:
    """Say that the folder is not there; we never make one."""
    return RefusedDeliveryError(
        "The folder is not there. Nothing was sent, and we make no folders ourselves.",
        code="no such folder",
        what_now="Check folder with the organisation, or ask them to make it",
    )


def may_not_write() -> RefusedDeliveryError:
    """Say that no permission to write."""
    return RefusedDeliveryError(
        "We may not write into the folder. Nothing was sent.",
        code="permission denied",
        what_now="Ask the organisation to let our account write there",
    )


def may_not_rename() -> RefusedDeliveryError:
    """Say that no permission to rename, though we may write."""
    return RefusedDeliveryError(
        "We can write to the folder but not rename. The unfinished file was removed where allowed.",
        code="rename refused",
        what_now="Ask the organisation to allow rename for our account, or set ready_file instead",
    )


def may_not_read() -> RefusedDeliveryError:
    """Say that no permission to read back what we wrote."""
    return RefusedDeliveryError(
        "We may write to the folder but not read back. Nothing was handed over.",
        code="read refused",
        what_now="Ask the organisation to allow reading, or set read_back to false",
    )


def disk_full() -> TransientDeliveryError:
    """Say that no space left; somebody there can make some."""
    return TransientDeliveryError(
        "Their disk is full. Nothing was handed over; we will try again.",
        code="disk full",
        what_now="Ask the organisation to make space in the folder",
    )


def write_failed(code: str) -> TransientDeliveryError:
    """Say that the server gave no reason."""
    return TransientDeliveryError(
        "Their server could not keep the file. Nothing was handed over; we will try again.",
        code=code,
        what_now="Ask their IT team to look at the disk and the quota of our account",
    )


def damaged() -> TransientDeliveryError:
    """Say that what we read back is not what we wrote."""
    return TransientDeliveryError(
        "What their server kept is not what we sent. The file did not get its name; we will try again.",
        code="read-back differs",
        what_now="If it happens again, ask their IT team to check the disk",
    )


def lost_before() -> TransientDeliveryError:
    """Say that the connection went before the file got its name."""
    return TransientDeliveryError(
        "The connection was lost before the file was complete. Nothing was handed over.",
        code="connection lost",
    )


def lost_at_rename() -> UncertainDeliveryError:
    """Say that the connection went while the file was getting its name."""
    return UncertainDeliveryError(
        "The connection was lost while the file got its name. It may be there; we will look.",
        code="connection lost",
    )


def lost_at_last() -> UncertainDeliveryError:
    """Say that the connection went while the file was made that says all is there."""
    return UncertainDeliveryError(
        "The connection was lost while the ready file was made. All may be there; we will look.",
        code="connection lost",
    )


def may_not_look(code: str) -> TransientDeliveryError:
    """Say that an answer file cannot be read."""
    return TransientDeliveryError(
        "We may not read their answer file. We will look again.",
        code=code,
        what_now="Ask the organisation to let our account read the folder of their answers",
    )


def no_answers() -> RefusedDeliveryError:
    """Say that the folder of their answers cannot be looked into."""
    return RefusedDeliveryError(
        "We cannot look into the folder of their answers.",
        code="no answers",
        what_now="Check answers.folder with the organisation, and ask them to let our account list it",
    )


def not_mounted() -> TransientDeliveryError:
    """Say that the share is away; writing would fill the empty mount point."""
    return TransientDeliveryError(
        "The share is not mounted. Nothing was written.",
        code="not mounted",
        what_now="Ask IT to mount it again; set must_be_mounted to false only for a folder of this machine",
    )
