"""The project works wherever it is put: no file names one machine, or where one fetched its packages."""

import re

from tests.house.project import ROOT, project_files

# Put together here, since these names may stand in no file of the project, this one included.
_REGISTRIES = ("py pi", "files.python hosted", "registry.npm js", "proxy.go lang", "sum.go lang")
REGISTRY_HOSTS = tuple(f"{host.replace(' ', '')}.org" for host in _REGISTRIES)
MACHINE_PATH = re.compile(r"(?<![\w.~}])/(?:root|work|home|Users)/\w[^\s'\"]*")


def texts() -> dict[str, str]:
    """Read every file of the project that is text."""
    read: dict[str, str] = {}
    for path in project_files():
        try:
            read[str(path.relative_to(ROOT))] = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
    return read


def test_no_file_names_a_registry():
    found = {name: host for name, text in texts().items() for host in REGISTRY_HOSTS if host in text}

    assert found == {}


def test_no_file_names_a_path_of_one_machine():
    found = {name: hit.group() for name, text in texts().items() if (hit := MACHINE_PATH.search(text))}

    assert found == {}


def test_the_lock_of_uv_is_not_kept():
    assert "uv.lock" not in {path.name for path in project_files()}
