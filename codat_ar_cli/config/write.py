"""Write profiles and mappings back, touching only what changed: comments, order and spacing of the rest stay.

A file is replaced in one step, so that a reader or a crash finds the old text or the new one, never half of each.
"""

from collections.abc import Callable, MutableMapping
from pathlib import Path
from typing import Any

from codat_ar_cli.config.model import DEFAULT_BASE_URL, Config, ConfigUnreadable, Profile, UnknownProfile
from codat_ar_cli.config.read import read_text
from codat_ar_cli.domain.keys import KeyKind, KeySource
from codat_ar_cli.domain.slots import Mapping, Rule, SlotMapping, Target
from codat_ar_cli.private import write_private

_HEADING = "codat-ar: profiles and settings. sample_config.toml explains every key."


def save_profile(config: Config, profile: Profile) -> Path:
    """Write one profile into the file it came from, a new one into `config.path`; returns that file.

    Raises ConfigUnreadable when it can't be written.
    """
    path = config.origin(f"profiles.{profile.name}") or config.path

    def change(document: MutableMapping[str, Any]) -> None:
        _merge(_subtable(document, "profiles", profile.name), _profile(profile))

    _edit(path, change)
    return path


def set_default(config: Config, name: str) -> Path:
    """Make a profile the default, in the file that sets it now, else in `config.path`; returns that file.

    Raises UnknownProfile, ConfigUnreadable.
    """
    config.profile(name)
    path = config.origin("default_profile") or config.path

    def change(document: MutableMapping[str, Any]) -> None:
        document["default_profile"] = name  # tomlkit puts it above the first table

    _edit(path, change)
    return path


def remove_profile(config: Config, name: str) -> Path:
    """Take a profile out of the file it is in, and every default that names it; returns the profile's file.

    Raises UnknownProfile, ConfigUnreadable.
    """
    config.profile(name)
    path = config.origin(f"profiles.{name}") or config.path

    def change(document: MutableMapping[str, Any]) -> None:
        document.get("profiles", {}).pop(name, None)
        if document.get("default_profile") == name:
            del document["default_profile"]

    # A default in another file goes first: a crash between the two then leaves both files valid.
    for file in sorted(set(config.files) | {path}, key=lambda file: file == path):
        if file.exists():
            _edit(file, change)
    return path


def save_mapping(path: Path, profile_name: str, mapping: Mapping) -> None:
    """Write a profile's mapping and accepted findings into the config file `path`.

    Raises UnknownProfile when the file has no such profile, ConfigUnreadable when it can't be written.
    """

    def change(document: MutableMapping[str, Any]) -> None:
        profiles = document.get("profiles", {})
        if profile_name not in profiles:
            raise UnknownProfile(profile_name, known=profiles)
        profile = profiles[profile_name]
        for key, value in _answers(mapping).items():
            _put(profile, key, value)

    _edit(path, change)


class _Inline(dict[str, Any]):
    """A table to be written on one line."""


def _profile(profile: Profile) -> dict[str, Any]:
    return {
        "base_url": profile.base_url if profile.base_url != DEFAULT_BASE_URL else None,
        "company": {"id": profile.company_id, "name": profile.company_name},
        "connection": {
            "id": profile.connection_id,
            "platform_key": profile.platform_key,
            "platform": profile.platform_name,
        },
        "key": _key(profile.key),
        "rates": {currency: format(rate, "f") for currency, rate in profile.rates.items()} or None,
        **_answers(profile.mapping),
    }


def _key(source: KeySource) -> dict[str, Any]:
    match source.kind:
        case KeyKind.ENV:
            return {"source": source.kind.value, "variable": source.variable}
        case KeyKind.FILE:
            return {"source": source.kind.value, "path": source.path}
        case KeyKind.KEYRING:
            return {"source": source.kind.value, "account": source.account}
        case KeyKind.COMMAND:
            return {"source": source.kind.value, "command": list(source.command)}


def _answers(mapping: Mapping) -> dict[str, Any]:
    slots = {slot.value: _slot(answers) for slot, answers in mapping.slots.items() if answers != SlotMapping()}
    return {"accepted": sorted(mapping.accepted) or None, "mapping": slots or None}


def _slot(answers: SlotMapping) -> dict[str, Any]:
    default = _target(answers.default) if answers.default is not None else None
    return {"default": default, "rules": [_rule(rule) for rule in answers.rules] or None}


def _rule(rule: Rule) -> dict[str, Any]:
    when = _Inline({column: values[0] if len(values) == 1 else list(values) for column, values in rule.when})
    return {"when": when, "use": _target(rule.target)}


def _target(target: Target) -> _Inline:
    code = {"code": target.code} if target.code is not None else {}
    return _Inline({"id": str(target.id), "name": target.name, **code})


def _subtable(document: MutableMapping[str, Any], *names: str) -> MutableMapping[str, Any]:
    import tomlkit

    for depth, name in enumerate(names, 1):
        if name not in document:
            document[name] = tomlkit.table(is_super_table=depth < len(names))
        document = document[name]
    return document


def _merge(table: MutableMapping[str, Any], wanted: dict[str, Any]) -> None:
    """Set the wanted keys, drop the others, and leave alone what already says the same."""
    for key in [key for key in table if wanted.get(key) is None]:
        del table[key]
    for key, value in wanted.items():
        _put(table, key, value)


def _put(table: MutableMapping[str, Any], key: str, value: Any) -> None:
    current = table.get(key)
    if value is None:
        table.pop(key, None)
    elif isinstance(value, dict) and isinstance(current, MutableMapping) and not isinstance(value, _Inline):
        _merge(current, value)
    elif current is None or _plain(current) != value:
        table[key] = _item(value)


def _plain(item: Any) -> Any:
    return item.unwrap() if hasattr(item, "unwrap") else item


def _item(value: Any) -> Any:
    import tomlkit

    if isinstance(value, _Inline):
        inline = tomlkit.inline_table()
        inline.update(value)
        return inline
    if isinstance(value, list) and any(isinstance(entry, dict) for entry in value):
        rules = tomlkit.aot()
        for entry in value:
            rules.append(_item(entry))
        return rules
    if isinstance(value, dict):
        table = tomlkit.table()
        for key, entry in value.items():
            if entry is not None:
                table[key] = _item(entry)
        return table
    return tomlkit.item(value)


def _edit(path: Path, change: Callable[[MutableMapping[str, Any]], None]) -> None:
    import tomlkit
    from tomlkit.exceptions import TOMLKitError

    target = path.resolve()  # a link to the file stays a link
    try:
        text = read_text(target)
        ends = "\r\n" if text is not None and "\r\n" in text else "\n"
        document = tomlkit.parse(f"# {_HEADING}\n" if text is None else text.replace("\r\n", "\n"))
    except TOMLKitError as error:
        message = f"config file {path} can't be read: {error}"
        raise ConfigUnreadable(message, hint="correct that place; sample_config.toml shows the form") from error
    change(document)
    _replace(target, tomlkit.dumps(document).replace("\n", ends))


def _replace(path: Path, text: str) -> None:
    try:
        write_private(path, text)
    except OSError as error:
        message = f"config file {path} can't be written: {error.strerror}"
        raise ConfigUnreadable(message, hint="check the folder's owner and permissions") from error
