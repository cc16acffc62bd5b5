"""How many tracking categories a line takes, and of which kinds: the platform's rules over resolved ids (§6.3)."""

from collections.abc import Mapping, Sequence

from codat_ar_cli.domain.findings import Severity
from codat_ar_cli.domain.platforms import PlatformRules, TrackingRules
from codat_ar_cli.domain.problems import Problem
from codat_ar_cli.domain.slots import Target
from codat_ar_cli.domain.types import RecordId

Parents = Mapping[RecordId, RecordId | None]
"""Tracking category id → id of its heading."""


def place_tracking(
    lines: Sequence[tuple[Target, ...]], parents: Parents, platform: PlatformRules
) -> tuple[tuple[tuple[Target, ...], ...], tuple[Problem, ...]]:
    """Put each line's categories where the platform wants them; give the lines and what it can't take.

    Kinds that count for the whole document move to its first line, if every line names the same one.
    """
    rules = platform.tracking
    problems: list[Problem] = []
    for targets in lines:
        problems.extend(_line_problems(targets, parents, rules, platform.name))
    placed = tuple(lines)
    for prefix in rules.first_line_only:
        placed, problem = _document_wide(placed, prefix, platform.name)
        if problem is not None:
            problems.append(problem)
    return placed, tuple(dict.fromkeys(problems))


def _line_problems(targets: tuple[Target, ...], parents: Parents, rules: TrackingRules, name: str) -> list[Problem]:
    problems: list[Problem] = []
    shown = ", ".join(target.name for target in targets)
    if rules.max_per_line is not None and len(targets) > rules.max_per_line:
        message = f"{name} takes at most {rules.max_per_line} tracking categories per line; found {shown}"
        problems.append(Problem("tracking.too-many", message))
    headings = [parents.get(target.id) for target in targets]
    if rules.different_parents and len(set(headings)) < len(headings):
        message = f"{name} takes one tracking category of each kind per line; found {shown}"
        problems.append(Problem("tracking.same-parent", message))
    for prefix in (*rules.one_of_each, *rules.first_line_only):
        same_kind = [target.name for target in targets if target.id.startswith(prefix)]
        if len(same_kind) > 1:
            message = f"{name} takes one {_kind(prefix)} per line; found {', '.join(same_kind)}"
            problems.append(Problem("tracking.same-kind", message))
    for prefix in rules.required_on_every_line:
        if not any(target.id.startswith(prefix) for target in targets):
            message = f"{name} needs a {_kind(prefix)} on every line"
            problems.append(Problem("tracking.missing", message, "codat-ar map set tracking ID", Severity.ERROR))
    return problems


def _kind(prefix: str) -> str:
    return prefix.rstrip("_-").lower()


def _document_wide(
    lines: tuple[tuple[Target, ...], ...], prefix: str, name: str
) -> tuple[tuple[tuple[Target, ...], ...], Problem | None]:
    per_line = [tuple(target for target in line if target.id.startswith(prefix)) for line in lines]
    if not any(per_line):
        return lines, None
    if len(set(per_line)) > 1:
        shown = ", ".join(dict.fromkeys(target.name for targets in per_line for target in targets))
        message = f"{name} takes one {_kind(prefix)} per document, but the lines differ; found {shown}"
        return lines, Problem("tracking.document-wide", message, hint="name the same one on every line")
    rest = [tuple(target for target in line if not target.id.startswith(prefix)) for line in lines]
    return ((*rest[0], *per_line[0]), *rest[1:]), None
