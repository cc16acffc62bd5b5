"""The documentation against the code: nothing stale, no dead link, no command that does not exist."""

import ast
import importlib.util
import re
import shlex
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted(
    [
        *(ROOT / "docs").glob("*.md"),
        *(ROOT / f"{name}.md" for name in ("README", "CHANGELOG", "CONTRIBUTING", "SECURITY")),
    ]
)
_FENCE = re.compile(r"^```(\w*)\n(.*?)^```", re.DOTALL | re.MULTILINE)


def ids(pages: list[Path]) -> list[str]:
    return [page.relative_to(ROOT).as_posix() for page in pages]


@pytest.fixture(scope="module")
def generate() -> Iterator[ModuleType]:
    """The script `docs/generate.py`, imported."""
    spec = importlib.util.spec_from_file_location("docs_generate", ROOT / "docs" / "generate.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    yield module
    del sys.modules[spec.name]


@pytest.fixture(scope="module")
def tree() -> Any:
    from codat_ar_cli.cli.root import build

    return build()


def blocks(text: str, *languages: str) -> list[str]:
    """The fenced blocks of a page, of these languages."""
    return [found[2] for found in _FENCE.finditer(text) if found[1] in languages]


def test_generated_pages_are_as_the_code_is(generate):
    assert generate.stale() == [], "run `python docs/generate.py`"


def test_a_page_that_was_edited_where_it_is_generated_is_stale(generate, monkeypatch, tmp_path):
    page = tmp_path / "exit-codes.md"
    page.write_text("<!-- generated: exit-codes -->\nold\n<!-- end generated -->\n", encoding="utf-8")
    monkeypatch.setattr(generate, "DOCS", tmp_path)

    assert "exit-codes.md" in generate.stale()


def test_a_finding_code_without_a_meaning_stops_the_generator(generate, monkeypatch):
    monkeypatch.setattr(generate, "_codes_given", lambda: iter(["row.never-heard-of"]))

    with pytest.raises(generate.Stale, match=r"row\.never-heard-of"):
        generate.finding_codes()


@pytest.mark.parametrize("page", PAGES, ids=ids(PAGES))
def test_every_link_leads_somewhere(page):
    text = _FENCE.sub("", page.read_text(encoding="utf-8"))
    broken = [link for link in re.findall(r"\]\(([^)\s]+)\)", text) if not leads_somewhere(page, link)]

    assert broken == []


def leads_somewhere(page: Path, link: str) -> bool:
    if re.match(r"[a-z]+:", link):
        return True
    name, _, anchor = link.partition("#")
    target = (page.parent / name).resolve() if name else page
    return target.exists() and (not anchor or anchor in anchors(target))


def anchors(page: Path) -> set[str]:
    """The names of a page's headings, as a forge makes them."""
    headings = re.findall(r"^#+ (.+)$", _FENCE.sub("", page.read_text(encoding="utf-8")), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=ids(PAGES))
def test_every_command_line_names_commands_and_options_that_exist(page, tree):
    wrong = [f"{line}: {why}" for line in command_lines(page) if (why := what_is_wrong(line, tree))]

    assert wrong == []


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("codat-ar pusch invoices FILE", "no command pusch"),
        ("codat-ar push invoices FILE --dry", "no option --dry"),
        ("codat-ar --profile acme push refunds FILE", "no command refunds"),
        ("codat-ar fetch --wait 3 --everything", "no option --everything"),
    ],
)
def test_a_command_line_that_does_not_exist_is_noticed(line, why, tree):
    assert what_is_wrong(line, tree) == why


def command_lines(page: Path) -> list[str]:
    """Every command line of ours that a page shows, in blocks and in running text."""
    text = page.read_text(encoding="utf-8")
    shown = [line.removeprefix("$ ") for block in blocks(text, "sh", "text", "") for line in block.splitlines()]
    shown += re.findall(r"`([^`\n]+)`", _FENCE.sub("", text))
    return [line[line.index("codat-ar") :] for line in shown if re.search(r"(^|[/ ])codat-ar ", line)]


def what_is_wrong(line: str, tree: Any) -> str | None:
    """Walk the command tree along a line; say what is not there."""
    command, words = tree, iter(shlex.split(line, comments=True)[1:])
    for word in words:
        if word in {"--", "&&", "|", ">"}:
            return None
        if word.startswith("-"):
            option = next((each for each in command.params if word in [*each.opts, *each.secondary_opts]), None)
            if option is None and word not in {"--help", "-h"}:
                return f"no option {word}"
            if option is not None and not option.is_flag and not option.count:
                next(words, None)
        elif hasattr(command, "commands") and not word.isupper() and word not in {"…", "[OPTIONS]"}:
            found = command.get_command(None, word)
            if found is None:
                return f"no command {word}"
            command = found
    return None


def test_every_hint_of_the_program_names_commands_and_options_that_exist(tree):
    hints = sorted({hint for text in texts_of_the_program() for hint in hinted(text)})
    wrong = [f"{hint}: {why}" for hint in hints if (why := what_is_wrong(hint, tree))]

    assert len(hints) > 20
    assert wrong == []


def hinted(text: str) -> list[str]:
    """The command lines in a text: in backticks, or the text itself where it starts with a known command."""
    from codat_ar_cli.cli.root import COMMANDS

    found = re.findall(r"`(codat-ar [^`]+)`", text)
    plain = re.match(r"codat-ar ([a-z]+)[^,;()`\n]*", text)
    return [*found, plain[0]] if plain and plain[1] in COMMANDS else found


def texts_of_the_program() -> Iterator[str]:
    """Every text in the source, docstrings too, with X for what is filled in."""
    for path in (ROOT / "codat_ar_cli").rglob("*.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        formatted = [node for node in ast.walk(tree) if isinstance(node, ast.JoinedStr)]
        parts = {id(part) for node in formatted for part in node.values}
        for each in formatted:
            yield "".join(str(part.value) if isinstance(part, ast.Constant) else "X" for part in each.values)
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in parts:
                yield node.value


def test_the_dependencies_page_and_pyproject_name_the_same_libraries():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    page = (ROOT / "docs" / "dependencies.md").read_text(encoding="utf-8")
    to_run, to_develop = page.split("## To develop")

    assert libraries(to_run) == {required(each) for each in project["dependencies"]}
    assert libraries(to_develop) == {required(each) for each in project["optional-dependencies"]["dev"]}


def libraries(part: str) -> set[str]:
    cells = [line.split("|")[1] for line in part.splitlines() if line.startswith("| ")]
    return {name.strip() for cell in cells for name in cell.split(",")} - {"library", "---"}


def required(requirement: str) -> str:
    return re.split(r"[<>=!~\[; ]", requirement)[0]


def test_every_library_that_is_imported_is_a_declared_dependency():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    declared = {required(each).replace("-", "_") for each in project["dependencies"]}
    ours = sys.stdlib_module_names | {"codat_ar_cli", "_typeshed"}

    assert set(imported()) - ours <= declared


def imported() -> Iterator[str]:
    """The first name of everything that the package imports, wherever it does."""
    for path in (ROOT / "codat_ar_cli").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                yield from (each.name.partition(".")[0] for each in node.names)
            elif isinstance(node, ast.ImportFrom) and not node.level:
                yield str(node.module).partition(".")[0]


def test_the_configuration_page_names_every_environment_variable():
    sources = (ROOT / "codat_ar_cli").rglob("*.py")
    pattern = re.compile(r"\b(?:CODAT_AR_[A-Z_]+|CODAT_API_KEY|NO_COLOR)\b")
    used = {name for path in sources for name in pattern.findall(path.read_text(encoding="utf-8"))}
    page = (ROOT / "docs" / "configuration.md").read_text(encoding="utf-8").split("## The API key")[0]

    assert set(pattern.findall(page)) == used


def test_the_examples_of_file_formats_are_read_without_a_complaint(tmp_path):
    from codat_ar_cli.domain.drafting import draft_invoices, draft_payments
    from codat_ar_cli.domain.layouts import INVOICES, PAYMENTS
    from codat_ar_cli.files.readers import read_table

    text = (ROOT / "docs" / "file-formats.md").read_text(encoding="utf-8")
    examples = [(block, ".csv") for block in blocks(text, "csv")] + [(block, ".json") for block in blocks(text, "json")]
    assert len(examples) == 4
    for number, (block, suffix) in enumerate(examples):
        path = tmp_path / f"example{number}{suffix}"
        path.write_text(block, encoding="utf-8")
        is_payments = "payment_id" in block
        table = read_table(path, PAYMENTS if is_payments else INVOICES)
        drafting = draft_payments if is_payments else draft_invoices
        drafted: Any = drafting(table.rows, source=table.name, columns=table.canonical)
        assert (*table.notes, *drafted.findings) == ()
        assert drafted.documents


def test_the_pushing_page_names_every_outcome_and_kind_of_finding_in_the_words_that_are_shown():
    from codat_ar_cli.domain.findings import Severity
    from codat_ar_cli.domain.lifecycle import State
    from codat_ar_cli.reports.pushing import END_STATES, STATE_WORDS

    rows = [line for line in (ROOT / "docs" / "pushing.md").read_text(encoding="utf-8").splitlines() if "|" in line]
    outcomes = {(STATE_WORDS[state], f"`{state.value}`") for state in END_STATES}
    told = {tuple(cell.strip() for cell in row.split("|")[1:3]) for row in rows}

    assert outcomes <= told
    assert {f"`{severity.value}`" for severity in Severity} <= {first for first, _ in told}
    assert set(END_STATES) == set(State) - {State.SENDING}


def test_the_fault_plan_of_the_sandbox_page_is_one():
    from codat_ar_cli.domain import jsontext
    from codat_ar_cli.sandbox.faults import FaultPlan

    (plan,) = blocks((ROOT / "docs" / "sandbox.md").read_text(encoding="utf-8"), "json")

    assert len(FaultPlan(jsontext.loads(plan)).rules) == 3
