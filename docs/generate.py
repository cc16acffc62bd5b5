"""Write the generated parts of the documentation from the code: `python docs/generate.py`, or `--check` to compare.

A page may be written by hand with generated parts, between `<!-- generated: NAME -->` and `<!-- end generated -->`;
`REGIONS` says what each part is made of. The JSON schemas under `docs/schemas/` are generated whole.
"""

import ast
import importlib
import json
import pkgutil
import re
import sys
import textwrap
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import codat_ar_cli
from codat_ar_cli.cli.root import build, global_options
from codat_ar_cli.cli.schemas import SCHEMAS
from codat_ar_cli.domain.layouts import INVOICES, PAYMENTS, Kind, Layout
from codat_ar_cli.domain.lifecycle import Cause
from codat_ar_cli.domain.limits import ACCEPTABLE
from codat_ar_cli.domain.slots import Slot
from codat_ar_cli.errors import CodatArError, ExitCode, most_urgent

DOCS = Path(__file__).resolve().parent
SOURCE = Path(codat_ar_cli.__file__).parent
_REGION = re.compile(r"(<!-- generated: ([a-z-]+) -->\n).*?(<!-- end generated -->)", re.DOTALL)
_CODE = re.compile(r"[a-z]+\.[a-z]+(-[a-z]+)*")


class Stale(Exception):
    """The documentation and the code can't be brought together without a person."""


def table(headings: list[str], rows: list[list[str]]) -> str:
    """Write a Markdown table; cells keep to their line."""
    lines = [headings, ["---"] * len(headings), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)


def exit_codes() -> str:
    """Give every exit code with its meaning."""
    return table(["code", "name", "meaning"], [[str(int(code)), code.name, code.meaning] for code in ExitCode])


def exit_order() -> str:
    """Give the exit codes with the most urgent first."""
    left, order = set(ExitCode) - {ExitCode.DONE}, []
    while left:
        order.append(most_urgent(left))
        left.remove(order[-1])
    return f"Where several apply, the first of these is given: {', '.join(str(int(code)) for code in order)}."


def columns(layout: Layout) -> str:
    """Give a layout's columns, each with its meaning from `columns.toml`."""
    meanings = tomllib.loads((DOCS / "columns.toml").read_text(encoding="utf-8"))[layout.name]
    names = [column.name for column in layout.columns]
    if set(meanings) != set(names):
        raise Stale(f"columns.toml and the columns of {layout.name} differ: {sorted(set(meanings) ^ set(names))}")
    kinds = {Kind.TEXT: "text", Kind.DATE: "date", Kind.NUMBER: "number", Kind.CURRENCY: "currency code"}
    rows = []
    for column in layout.columns:
        also = "".join(f", `{alias}`" for alias in column.aliases)
        belongs = "line" if column.per_line else "document"
        needed = "yes" if column.required else ""
        rows.append([f"`{column.name}`{also}", needed, belongs, kinds[column.kind], meanings[column.name]])
    return table(["column", "required", "belongs to the", "holds", "meaning"], rows)


def slots() -> str:
    """Give the mapping slots by the names that commands take."""
    return table(["slot", "what for"], [[f"`{slot.option_name}`", slot.label] for slot in Slot])


def limits() -> str:
    """Give the names under which a profile accepts what a platform can't take."""
    return "\n".join(f"- `{name}`" for name in sorted(ACCEPTABLE))


def sample_config() -> str:
    """Give the sample of the config file, which a test loads."""
    return f"```toml\n{(DOCS.parent / 'sample_config.toml').read_text(encoding='utf-8').strip()}\n```"


def commands() -> str:
    """Give the help of every command, with the global options once."""
    ours = {name for option in global_options() for name in option.opts}
    parts = ["## Global options", _options(global_options()), "They may stand before or after the command."]
    for words, command in every_command():
        if not words:
            continue
        own = [param for param in command.params if param.param_type_name == "option" and not ours & set(param.opts)]
        arguments = [param for param in command.params if param.param_type_name == "argument"]
        parts.append(f"## codat-ar {' '.join(words)}")
        usage = ["codat-ar", *words, *(["[OPTIONS]"] if own else []), *map(_argument, arguments)]
        usage += ["COMMAND"] if hasattr(command, "list_commands") else []
        parts.append(f"```text\n{' '.join(usage)}\n```")
        parts.append(textwrap.dedent(command.help or "").strip())
        if arguments and any(param.help for param in arguments):
            listed = [[f"`{_argument(param)}`", param.help or ""] for param in arguments]
            parts.append(table(["argument", "meaning"], listed))
        if own:
            parts.append(_options(own))
    return "\n\n".join(parts)


def every_command() -> Iterator[tuple[tuple[str, ...], Any]]:
    """Yield every command and group of the tree with the words that call it; the root with none."""

    def walk(words: tuple[str, ...], command: Any) -> Iterator[tuple[tuple[str, ...], Any]]:
        yield words, command
        if hasattr(command, "list_commands"):
            for name in command.list_commands(_context()):
                yield from walk((*words, name), command.get_command(_context(), name))

    yield from walk((), build())


def _context() -> Any:
    return build().make_context("codat-ar", [], resilient_parsing=True)


def _argument(param: Any) -> str:
    shown = str(param.make_metavar(_context())).strip("{}")
    if shown.isalpha():
        shown = shown.upper() if param.required else f"[{shown.upper()}]"
    return shown


def _options(params: Any) -> str:
    rows = []
    for param in params:
        if param.is_flag or param.count:
            shown = ", ".join(f"`{name}`" for name in param.opts)
        else:
            metavar = param.metavar or ("N" if "int" in param.type.name else str(param.type.name).upper())
            shown = ", ".join(f"`{name} {metavar}`" for name in param.opts)
        has_default = param.default not in {None, False, ""} and not callable(param.default)
        default = f" Default: `{param.default}`." if has_default and not isinstance(param.default, list) else ""
        rows.append([shown, f"{param.help or ''}{default}"])
    return table(["option", "meaning"], rows)


def error_codes() -> str:
    """Give every named error with its exit code and meaning."""
    for module in pkgutil.walk_packages([str(SOURCE)], "codat_ar_cli."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    rows = {}
    for error in _subclasses(CodatArError):
        about = " ".join((error.__doc__ or "").split("\n\n")[0].split())
        rows[error.code] = [f"`{error.code}`", f"{int(error.exit_code)}", about]
    for code, exit_and_meaning in _unclassed().items():
        rows[code] = [f"`{code}`", *exit_and_meaning]
    return table(["code", "exit", "meaning"], [rows[code] for code in sorted(rows)])


def _subclasses(of: type[CodatArError]) -> Iterator[type[CodatArError]]:
    for each in of.__subclasses__():
        if each.__module__.startswith("codat_ar_cli."):
            if "code" in vars(each):
                yield each
            yield from _subclasses(each)


def _unclassed() -> dict[str, list[str]]:
    """Give what ends a command without a class of its own: usage, interruption, defects, the sandbox's situations."""
    known = {
        "usage": ["2", "A command or option that does not exist, or a value it does not take."],
        "interrupted": ["129, 130, 143", "Stopped by Ctrl-C or a signal; running the same command again goes on."],
        "defect": ["1", "A fault in codat-ar itself; a report without keys is kept, please send it."],
    }
    sandbox = tomllib.loads((DOCS / "sandbox_errors.toml").read_text(encoding="utf-8"))
    found = {code for path in (SOURCE / "sandbox").rglob("*.py") for code in _sandbox_codes(path)}
    if set(sandbox) != found:
        raise Stale(f"sandbox_errors.toml and the sandbox's codes differ: {sorted(set(sandbox) ^ found)}")
    return known | {code: ["2", meaning] for code, meaning in sandbox.items()}


def _sandbox_codes(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "SandboxError" and node.args:
            first = node.args[0]
            if isinstance(first, ast.Constant):
                yield str(first.value)


def finding_codes() -> str:
    """Give every finding code with its meaning, area by area; fails where code and meanings differ."""
    areas = tomllib.loads((DOCS / "findings.toml").read_text(encoding="utf-8"))
    told = {code for area in areas.values() for code in area if code.rsplit(".", 1)[-1].islower()}
    given = set(_codes_given()) | {cause.value for cause in Cause}
    if told != given:
        raise Stale(
            f"findings.toml lacks {sorted(given - told) or 'nothing'} and has {sorted(told - given) or 'nothing'} "
            "that the code does not give"
        )
    parts = []
    for name, area in areas.items():
        rows = [[f"`{code}`", meaning] for code, meaning in area.items()]
        parts.append(f"### {name.capitalize()}\n\n{table(['code', 'meaning'], rows)}")
    return "\n\n".join(parts)


_NO_CODES = {"lines.amount", "payments.reference"} | set(ACCEPTABLE)
_SUFFIXES = {"csv", "db", "json", "jsonl", "key", "sqlite", "toml"}


def _codes_given() -> Iterator[str]:
    """Find finding codes where they are written: texts of that form that are no class's own code."""
    for folder in ("domain", "files", "flows"):
        for path in sorted((SOURCE / folder).rglob("*.py")):
            tree = ast.parse(path.read_text(encoding="utf-8"))
            own = {
                id(statement.value)
                for each in ast.walk(tree)
                if isinstance(each, ast.ClassDef)
                for statement in each.body
                if isinstance(statement, ast.Assign | ast.AnnAssign)
            }
            for node in ast.walk(tree):
                if isinstance(node, ast.Constant) and id(node) not in own and _is_code(node.value):
                    yield str(node.value)


def _is_code(value: object) -> bool:
    if not isinstance(value, str) or not _CODE.fullmatch(value):
        return False
    return value not in _NO_CODES and value.rpartition(".")[2] not in _SUFFIXES


def json_results() -> str:
    """Give every JSON result: the command, its fields, and its schema file."""
    parts = []
    for name, schema in SCHEMAS.items():
        parts.append(
            f"## {name}\n\n{_linked(schema['description'])}. Schema: [{schema_file(name)}](schemas/{schema_file(name)})"
        )
        parts.append(table(["field", "type", "meaning"], list(_fields(schema))))
    return "\n\n".join(parts)


def _linked(text: str) -> str:
    return re.sub(r"\b([a-z-]+)\.md\b", r"[\1](\1.md)", text)


def schema_file(name: str) -> str:
    """Name the file of a result's schema."""
    return f"{name.removeprefix('codat-ar/').replace('/', '-')}.json"


def _fields(schema: dict[str, Any], under: str = "") -> Iterator[list[str]]:
    for key, field in schema.get("properties", {}).items():
        optional = "" if key in schema["required"] else " (not always)"
        meaning = _linked(field.get("description", ""))
        yield [f"`{under}{key}`{optional}", _type(field), meaning]
        inner = field.get("items", field)
        yield from _fields(inner, f"{under}{key}{'[]' if 'items' in field else ''}.")


def _type(field: dict[str, Any]) -> str:
    if "const" in field:
        return f"`{field['const']}`"
    if "enum" in field:
        return ", ".join("null" if value is None else f"`{value}`" for value in field["enum"])
    kinds = field["type"] if isinstance(field["type"], list) else [field["type"]]
    form = {"date": "date", "date-time": "instant"}.get(field.get("format", ""))
    if form is None and "[0-9]+" in field.get("pattern", ""):
        form = "decimal, as a string"
    return " or ".join([form or kinds[0], *kinds[1:]])


REGIONS: dict[str, Callable[[], str]] = {
    "exit-codes": exit_codes,
    "exit-order": exit_order,
    "invoice-columns": lambda: columns(INVOICES),
    "payment-columns": lambda: columns(PAYMENTS),
    "sample-config": sample_config,
    "slots": slots,
    "limits": limits,
    "commands": commands,
    "error-codes": error_codes,
    "finding-codes": finding_codes,
    "json": json_results,
}


def wanted() -> dict[Path, str]:
    """Give every file that holds something generated, as it must be. Raises Stale."""
    files = {}
    for page in sorted(DOCS.glob("*.md")):
        text = page.read_text(encoding="utf-8")
        if "<!-- generated: " in text:
            files[page] = _REGION.sub(lambda found: f"{found[1]}{REGIONS[found[2]]()}\n{found[3]}", text)
    for name, schema in SCHEMAS.items():
        files[DOCS / "schemas" / schema_file(name)] = json.dumps(schema, indent=2, ensure_ascii=False) + "\n"
    return files


def stale() -> list[str]:
    """Name the files that are not as they must be, and schema files that belong to no result."""
    files = wanted()
    differing = [path for path, text in files.items() if not path.exists() or path.read_text(encoding="utf-8") != text]
    left_over = [path for path in (DOCS / "schemas").glob("*.json") if path not in files]
    return sorted(path.relative_to(DOCS).as_posix() for path in (*differing, *left_over))


def main(arguments: list[str]) -> int:
    """Write what is stale, or only name it."""
    try:
        names = stale()
        if arguments == ["--check"]:
            sys.stderr.writelines(f"stale: docs/{name}\n" for name in names)
            return 1 if names else 0
        files = wanted()
    except Stale as problem:
        sys.stderr.write(f"{problem}\n")
        return 1
    for name in names:
        path = DOCS / name
        path.parent.mkdir(exist_ok=True)
        if path in files:
            path.write_text(files[path], encoding="utf-8", newline="\n")
        else:
            path.unlink()
        sys.stdout.write(f"docs/{name}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
