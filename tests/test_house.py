"""The house rules, enforced: who may import whom, what things are called, and that declarations and README agree."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from connectors.kit.contract import connector_class, connector_names
from governance.declaration import SEVERITIES, SIGNALS
from governance.errors import LeaverwatchError
from governance.rulebook import all_rules
from governance.settings import parse

ROOT = Path(__file__).parents[1]
SOURCES = sorted(
    path
    for part in ("governance", "connectors", "jobs")
    for path in (ROOT / part).rglob("*.py")
    if "versions" not in path.parts
)
TOP_LEVEL = {
    *("app.py", "governance", "connectors", "jobs", "tests", "data", "README.md", "pyproject.toml", "Makefile"),
    *("requirements.lock", "ruff.toml", "Dockerfile", "compose.yaml"),
}
# Glossary of ARCHITECTURE.md: "never call it". SCIM's own words keep their names inside the SCIM files.
BANNED = re.compile(
    r"(^|_)(users?|seats?|zombies?|whitelist|termed|helpers?|utils?|manager|common|disable|orphan_acc)(_|$)"
)
SPEAK_SCIM = {"connectors/scim.py", "connectors/kit/scim_", "connectors/sandbox"}
MANAGER_IS_A_PERSON = re.compile(r"(^|_)(manager|managers)(_|$)")


def tracked() -> list[Path]:
    out = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False)
    return [ROOT / line for line in out.stdout.splitlines()]


def public_names(path: Path):
    """Names of modules, and of public functions, classes and their parameters."""
    yield path.stem
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_"):
            yield re.sub(r"(?<!^)(?=[A-Z])", "_", node.name).lower()
            if isinstance(node, ast.FunctionDef):
                yield from (a.arg for a in (*node.args.args, *node.args.kwonlyargs))


def test_imports_go_one_way():
    done = subprocess.run(
        [Path(sys.executable).parent / "lint-imports", "--no-cache"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout


def test_the_top_level_is_the_agreed_one():
    top = {path.relative_to(ROOT).parts[0] for path in tracked()}
    assert {name for name in top if not name.startswith(".")} <= TOP_LEVEL


def test_the_front_door_is_small():
    assert len((ROOT / "app.py").read_text().splitlines()) < 80


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_names_are_the_glossary_s(path):
    place = str(path.relative_to(ROOT))
    if any(place.startswith(file) for file in SPEAK_SCIM):
        return
    bad = [n for n in public_names(path) if BANNED.search(n) and not MANAGER_IS_A_PERSON.search(n)]
    assert not bad, f"{place}: {bad}"
    assert path.stem not in {"utils", "helpers", "common", "manager"}


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_only_jobs_and_the_shell_read_the_clock(path):
    place = path.relative_to(ROOT)
    if place.parts[0] == "jobs" or place == Path("governance/shell.py"):
        return
    calls = re.findall(r"datetime\.now\(|utcnow\(|time\.time\(|date\.today\(|pd\.Timestamp\.now", path.read_text())
    assert not calls, f"{place} reads the clock: {calls}"


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_file_fits_two_screens_or_is_split(path):
    assert len(path.read_text().splitlines()) <= 360


def test_no_lock_file_names_a_registry():
    for lock in ROOT.rglob("*.lock"):
        if ".venv" in lock.parts:
            continue
        text = lock.read_text()
        assert "://" not in text, lock
        assert text.count("==") <= text.count("--hash=sha256:"), lock


RULES = all_rules()


@pytest.mark.parametrize("name", sorted(RULES))
def test_a_rule_declares_itself_and_is_tested(name):
    rule = RULES[name]
    assert rule.name == name
    assert (ROOT / "governance" / "rules" / f"{name}.py").exists()
    first = rule.explanation.splitlines()[0]
    assert first.endswith("."), "the first line is a statement a reviewer reads"
    assert rule.severity in SEVERITIES
    assert rule.identity
    assert rule.needs
    assert set(rule.needs) <= set(SIGNALS)
    for norm in ("ISO 27001", "SOC 2", "NIST AC-", "PCI DSS"):
        assert any(norm in control for control in rule.controls), f"{name} names no {norm} control"
    test = (ROOT / "tests" / "rules" / f"test_{name}.py").read_text()
    for word in ("fires", "quiet"):
        assert re.search(rf"def test_\w*{word}", test), f"test_{name}.py has no test named …{word}…"


@pytest.mark.parametrize("name", connector_names())
def test_a_connector_declares_itself_and_is_tested(name):
    kind = connector_class(name)
    assert kind.name() == name
    assert kind.title
    assert kind.fields
    assert all(field.help for field in kind.fields)
    assert set(kind.scopes) >= set(kind.capabilities()) - {"read_one"}
    assert (ROOT / "tests" / f"test_{name}.py").exists()


def test_every_error_stands_in_the_tree_of_its_docstring():
    import governance.errors as errors

    tree = errors.__doc__ or ""
    classes = [c for c in vars(errors).values() if isinstance(c, type) and issubclass(c, LeaverwatchError)]
    assert len(classes) > 15
    assert [c.__name__ for c in classes if c.__name__ not in tree] == []


def test_every_foreign_exception_class_of_ours_is_in_the_tree():
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text())):
            if (
                isinstance(node, ast.ClassDef)
                and not node.name.startswith("_")
                and any(
                    isinstance(base, ast.Name) and base.id in {"Exception", "RuntimeError", "ValueError"}
                    for base in node.bases
                )
            ):
                assert path.name == "errors.py" or "sandbox" in path.parts, f"{path}: {node.name}"


FAULTS = tomllib.loads((ROOT / "tests" / "faults.toml").read_text())
ROWS_OF_THE_PARTS_THAT_EXIST = {
    *(f"A{n}" for n in range(1, 16)),
    *(f"B{n}" for n in range(1, 8)),
    *(f"C{n}" for n in range(1, 16)),
    *("D1", "D6", "D7", "D9", "D12", "D13", "D14"),
    *(f"E{n}" for n in range(1, 9)),
    *(f"F{n}" for n in range(1, 11)),
    *("G1", "G2", "G3", "G4", "G5", "G6", "G7", "G8", "G10", "G13", "G14", *(f"H{n}" for n in range(1, 10))),
}


def test_every_fault_of_the_parts_that_exist_has_its_row():
    assert set(FAULTS) >= ROWS_OF_THE_PARTS_THAT_EXIST


@pytest.mark.parametrize("row", sorted(FAULTS))
def test_every_test_a_fault_names_exists(row):
    assert FAULTS[row]
    for name in FAULTS[row]:
        module, _, function = name.partition("::")
        [file] = (ROOT / "tests").rglob(f"{module}.py")
        assert re.search(rf"^ *def {function}\(", file.read_text(), re.MULTILINE), name


README = (ROOT / "README.md").read_text()


def test_every_command_of_the_readme_exists():
    makefile = (ROOT / "Makefile").read_text()
    targets = set(re.findall(r"\bmake ([a-z]+)\b", README))
    assert {"demo", "test"} <= targets
    assert all(re.search(rf"^{target}:", makefile, re.MULTILINE) for target in targets)
    done = subprocess.run(
        [Path(sys.executable).parent / "leaverwatch", "--help"], capture_output=True, text=True, check=True
    )
    named = set(re.findall(r"\bleaverwatch ([a-z]+)\b", README))
    assert len(named) > 4
    assert [name for name in named if not re.search(rf"^\W*{name}\b", done.stdout, re.MULTILINE)] == []


def test_the_configuration_in_the_readme_is_one():
    [block] = re.findall(r"```toml\n(.*?)```", README, re.DOTALL)
    settings = parse(tomllib.loads(block))
    assert settings.source
    assert settings.application
    assert settings.actor


def test_the_changelog_is_the_last_section():
    assert re.findall(r"^## (.+)$", README, re.MULTILINE)[-1] == "Changelog"
