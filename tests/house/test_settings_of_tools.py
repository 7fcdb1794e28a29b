"""Whoever switches a check off says why; the commands people are told are the commands that run."""

import re

from tests.house.project import ROOT, manual_files, python_files

# Written in two pieces, so that this line is not itself taken for what it looks for.
_SWITCHED_OFF = re.compile(r"#\s*no" r"qa\b(?P<codes>:[\w, ]*?)?(?P<why>\s+[-#:(].*)?$")


def test_every_lint_switched_off_says_why():
    text = (ROOT / "pyproject.toml").read_text()
    lint = text[text.index("[tool.ruff.lint]") : text.index("[tool.ruff.lint.flake8-type-checking]")]
    codes = re.findall(r'^ +"[A-Z]+\d+",.*$', lint, flags=re.MULTILINE)

    assert codes
    assert [line for line in codes if not re.search(r'",\s+# \S+', line)] == []


def test_every_line_exempt_from_a_check_says_why():
    silent = [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()}"
        for path in python_files()
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if (hit := _SWITCHED_OFF.search(line)) and not (hit["codes"] and hit["why"])
    ]

    assert not silent, "\n".join(silent)


def test_ci_runs_what_the_readme_tells_people_to_run():
    lines = (ROOT / ".ci" / "run").read_text().splitlines()
    commands = [line for line in lines if line and not line.startswith(("#", "set ", "cd "))]

    assert commands == ["make test"]
    assert "make test" in (ROOT / "README.md").read_text()


def test_every_make_command_that_people_read_exists():
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), flags=re.MULTILINE))
    told = {
        target
        for path in manual_files()
        for target in re.findall(r"(?:^ {4}|^|`)make ([a-z-]+)", path.read_text(), flags=re.MULTILINE)
    }

    assert told - targets == set()
