"""Config files: read whole, all problems at once, written back with comments kept."""

import os
import stat
from decimal import Decimal
from pathlib import Path

import pytest

from codat_ar_cli.config import (
    Config,
    ConfigInvalid,
    ConfigUnreadable,
    InsecureUrl,
    Profile,
    UnknownProfile,
    check_base_url,
    config_path,
    load,
    remove_profile,
    save_mapping,
    save_profile,
    set_default,
    state_dir,
)
from codat_ar_cli.domain.keys import KeyKind, KeySource
from codat_ar_cli.domain.mapping import Mapping, Rule, Slot, SlotMapping, Target
from codat_ar_cli.domain.types import CompanyId, ConnectionId, Currency, PlatformKey, RecordId

ROOT = Path(__file__).resolve().parents[2]

MINIMAL = """
[profiles.acme]
company = { id = "c-1", name = "Acme Ltd" }
connection = { id = "n-1", platform_key = "gbol", platform = "Xero" }
"""

MAPPING = Mapping(
    slots={
        Slot.INCOME_ACCOUNT: SlotMapping(
            default=Target(RecordId("4000"), "Sales", "200"),
            rules=(
                Rule((("country", ("DE", "AT")), ("sku", ("A",))), Target(RecordId("4010"), "Sales EU")),
                Rule((("tax_code", ("EXEMPT",)),), Target(RecordId("4020"), "Exempt sales")),
            ),
        ),
        Slot.BANK_ACCOUNT: SlotMapping(rules=(Rule((("currency", ("EUR",)),), Target(RecordId("9"), 'Bank "EUR"')),)),
    },
    accepted=frozenset({"invoices.invoiceNumber"}),
)


def profile(name: str = "acme", **changes: object) -> Profile:
    facts: dict[str, object] = {
        "company_id": CompanyId("c-1"),
        "company_name": "Acme Ltd",
        "connection_id": ConnectionId("n-1"),
        "platform_key": PlatformKey("gbol"),
        "platform_name": "Xero",
    }
    return Profile(name=name, **{**facts, **changes})  # type: ignore[arg-type]


def write(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def problems(path: Path, text: str) -> dict[str, str]:
    with pytest.raises(ConfigInvalid) as caught:
        load(write(path, text))
    return {problem["key"]: problem["text"] for problem in caught.value.details["problems"]}


def test_a_file_that_is_not_there_is_an_empty_config(tmp_path):
    config = load(tmp_path / "none.toml")

    assert config.profiles == {}
    assert config.files == ()


def test_the_sample_config_loads_and_shows_every_key():
    config = load(ROOT / "sample_config.toml")

    acme = config.profiles["acme"]
    assert config.default_profile == "acme"
    assert set(acme.mapping.slots) == set(Slot)
    assert acme.mapping.accepted
    assert acme.rates
    assert {each.key.kind for each in config.profiles.values()} == set(KeyKind)


@pytest.mark.parametrize(
    "source",
    [
        KeySource(),
        KeySource(KeyKind.FILE, path="/run/secrets/codat"),
        KeySource(KeyKind.KEYRING, account="acme"),
        KeySource(KeyKind.COMMAND, command=("op", "read", "op://vault/codat api")),
    ],
    ids=lambda source: source.kind.value,
)
def test_a_saved_profile_is_read_back_as_it_was(tmp_path, source):
    saved = profile(
        key=source,
        mapping=MAPPING,
        rates={Currency("USD"): Decimal("0.7900")},
        company_name='Ünïcode & "quotes"\\',
        base_url="http://127.0.0.1:8080",
    )

    save_profile(load(tmp_path / "c.toml"), saved)

    assert load(tmp_path / "c.toml").profiles == {"acme": saved}


def test_saving_a_mapping_keeps_comments_and_other_profiles_byte_for_byte(tmp_path):
    text = (
        "# ours\n"
        'default_profile = "acme" # the usual one\n'
        f"{MINIMAL}accepted = []  # nothing yet\n"
        "\n# the other\n[profiles.beta] # b\n"
        'company = { id = "c-2", name = "Beta" } # beta\n'
        'connection = { id = "n-2", platform_key = "qhyg", platform = "QuickBooks Online" }\n'
    )
    path = write(tmp_path / "c.toml", text)

    save_mapping(path, "acme", MAPPING)

    after = path.read_text(encoding="utf-8")
    assert load(path).profiles["acme"].mapping == MAPPING
    for line in ("# ours", 'default_profile = "acme" # the usual one', "# the other", "[profiles.beta] # b"):
        assert line in after
    assert 'company = { id = "c-2", name = "Beta" } # beta' in after


def test_saving_the_same_again_changes_nothing(tmp_path):
    path = tmp_path / "c.toml"
    save_profile(load(path), profile(mapping=MAPPING))
    first = path.read_bytes()

    save_profile(load(path), profile(mapping=MAPPING))
    save_mapping(path, "acme", MAPPING)

    assert path.read_bytes() == first


def test_a_slot_that_is_no_longer_mapped_leaves_the_file(tmp_path):
    path = tmp_path / "c.toml"
    save_profile(load(path), profile(mapping=MAPPING))

    save_mapping(path, "acme", Mapping())

    assert load(path).profiles["acme"].mapping == Mapping()
    assert "4000" not in path.read_text(encoding="utf-8")


def test_saving_a_mapping_of_an_unknown_profile_names_the_known_ones(tmp_path):
    path = write(tmp_path / "c.toml", MINIMAL)

    with pytest.raises(UnknownProfile, match="profile `beta` does not exist; known: acme"):
        save_mapping(path, "beta", Mapping())


@pytest.mark.skipif(os.name != "posix", reason="mode bits are POSIX")
def test_a_written_file_is_readable_by_its_owner_only(tmp_path):
    before = os.umask(0)
    try:
        save_profile(load(tmp_path / "deep" / "c.toml"), profile())
    finally:
        os.umask(before)

    assert stat.S_IMODE((tmp_path / "deep" / "c.toml").stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "deep").stat().st_mode) == 0o700
    assert list((tmp_path / "deep").iterdir()) == [tmp_path / "deep" / "c.toml"]


def test_the_default_is_set_and_goes_with_its_profile(tmp_path):
    path = tmp_path / "c.toml"
    save_profile(load(path), profile())
    save_profile(load(path), profile("beta"))
    set_default(load(path), "beta")
    assert load(path).default_profile == "beta"

    remove_profile(load(path), "beta")

    assert load(path).default_profile is None
    assert list(load(path).profiles) == ["acme"]


def test_a_default_that_does_not_exist_can_not_be_set(tmp_path):
    with pytest.raises(UnknownProfile, match="known: none yet"):
        set_default(load(tmp_path / "c.toml"), "acme")


def test_the_project_file_goes_before_the_users_and_is_named_as_origin(tmp_path):
    user = write(tmp_path / "user.toml", 'default_profile = "acme"\nledger_url = "sqlite:///u.db"\n' + MINIMAL)
    project = write(tmp_path / "codat-ar.toml", MINIMAL.replace("Acme Ltd", "Acme in this project"))

    config = load(user, project=project)

    assert config.profiles["acme"].company_name == "Acme in this project"
    assert config.origin("profiles.acme.company.name") == project
    assert config.origin("default_profile") == user
    assert config.origin("state_dir") is None
    assert config.files == (project, user)


def test_a_profile_is_saved_where_it_came_from(tmp_path):
    user, project = write(tmp_path / "user.toml", ""), write(tmp_path / "codat-ar.toml", MINIMAL)

    save_profile(load(user, project=project), profile(company_name="Renamed"))

    assert "Renamed" in project.read_text(encoding="utf-8")
    assert user.read_text(encoding="utf-8") == ""


def test_removing_a_profile_also_clears_a_default_in_the_other_file(tmp_path):
    user = write(tmp_path / "user.toml", MINIMAL)
    project = write(tmp_path / "codat-ar.toml", 'default_profile = "acme"\n')

    remove_profile(load(user, project=project), "acme")

    assert load(user, project=project).profiles == {}


def test_every_problem_of_a_file_is_reported_with_its_key(tmp_path):
    found = problems(
        tmp_path / "c.toml",
        """
        default_profle = "acme"
        [profiles.acme]
        base_url = "http://api.example.com"
        company = { id = 7, nmae = "Acme" }
        connection = "n-1"
        accepted = [1]
        [profiles.acme.key]
        source = "vault"
        [profiles.acme.rates]
        USD = 0.79
        ZZZ = "1"
        EUR = "-1"
        [profiles.acme.mapping.income_acount]
        default = { id = "1" }
        [profiles.acme.mapping.tax_rate]
        default = { id = "1" }
        rules = [{ when = {}, use = { id = "1", name = "x" } }, { when = { a = 1 }, use = 3 }]
        """,
    )

    assert found == {
        "default_profle": "unknown key; did you mean `default_profile`?",
        "profiles.acme.base_url": "`http://api.example.com` would send the API key unencrypted; expected https://",
        "profiles.acme.company.id": "expected text in quotes, found a whole number",
        "profiles.acme.company.nmae": "unknown key; did you mean `name`?",
        "profiles.acme.connection": "expected a table, found text",
        "profiles.acme.connection.id": "missing",
        "profiles.acme.connection.platform_key": "missing",
        "profiles.acme.accepted": "expected text or a list of texts, found a list",
        "profiles.acme.key.source": "`vault` is not a place for a key; expected one of env, file, keyring, command",
        "profiles.acme.rates.USD": "expected text in quotes, found a number with a fraction",
        "profiles.acme.rates.ZZZ": "`ZZZ` is not an ISO 4217 currency code",
        "profiles.acme.rates.EUR": '"-1" is not a rate; expected a positive number in quotes, such as "1.0825"',
        "profiles.acme.mapping.income_acount": "unknown key; did you mean `income_account`?",
        "profiles.acme.mapping.tax_rate.default.name": "missing",
        "profiles.acme.mapping.tax_rate.rules[1].when": 'missing; expected a condition such as { country = "DE" }',
        "profiles.acme.mapping.tax_rate.rules[2].when.a": "expected text or a list of texts, found a whole number",
        "profiles.acme.mapping.tax_rate.rules[2].use": "expected a table, found a whole number",
        "profiles.acme.mapping.tax_rate.rules[2].use.id": "missing",
        "profiles.acme.mapping.tax_rate.rules[2].use.name": "missing",
    }


def test_a_key_in_the_file_is_refused_without_showing_it(tmp_path):
    path = tmp_path / "c.toml"

    with pytest.raises(ConfigInvalid) as caught:
        load(write(path, MINIMAL + 'key = { source = "env", value = "s3cret-key" }\n'))

    assert "an API key must not stand in a config file" in str(caught.value.details)
    assert "s3cret-key" not in f"{caught.value.details}{caught.value}"


def test_a_default_that_names_no_profile_is_a_problem(tmp_path):
    found = problems(tmp_path / "c.toml", 'default_profile = "beta"\n' + MINIMAL)

    assert found == {"default_profile": "profile `beta` does not exist; known: acme"}


def test_what_is_not_toml_is_named_with_its_line(tmp_path):
    with pytest.raises(ConfigUnreadable, match=r"is not TOML: .*line 2"):
        load(write(tmp_path / "c.toml", "a = 1\nb = \n"))


def test_what_is_not_utf8_is_named(tmp_path):
    path = tmp_path / "c.toml"
    path.write_bytes(b'a = "\xff"')

    with pytest.raises(ConfigUnreadable, match="is not UTF-8 text"):
        load(path)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a = " + "[" * 5000 + "]" * 5000, "nested too deeply"),
        ("a = " + "1" * 5000, "4300 digits"),
        ("# " + "x" * 5_000_000, "larger than 4 MiB"),
    ],
    ids=["deep", "long-number", "huge"],
)
def test_toml_that_no_reader_takes_is_named(tmp_path, text, words):
    with pytest.raises(ConfigUnreadable, match=words):
        load(write(tmp_path / "c.toml", text))


@pytest.mark.parametrize("key", ["state_dir", "ledger_url"])
def test_a_nul_character_is_a_problem_with_its_key(tmp_path, key):
    assert problems(tmp_path / "c.toml", f'{key} = "a\\u0000b"\n') == {
        key: "expected text, found a NUL character in it"
    }


def test_a_home_folder_that_nobody_has_is_a_problem(tmp_path):
    found = problems(tmp_path / "c.toml", 'state_dir = "~nobody-has-this-name/x"\n')

    assert "does not know" in found["state_dir"]


def test_a_file_saved_by_an_editor_for_windows_is_read_and_keeps_its_line_ends(tmp_path):
    path = tmp_path / "c.toml"
    path.write_bytes(b"\xef\xbb\xbf# mine\r\n" + MINIMAL.replace("\n", "\r\n").encode())

    set_default(load(path), "acme")

    written = path.read_bytes()
    assert written.startswith(b"# mine\r\n")
    assert written.count(b"\n") == written.count(b"\r\n")
    assert load(path).default_profile == "acme"


def test_a_folder_in_place_of_the_file_is_named(tmp_path):
    with pytest.raises(ConfigUnreadable, match="can't be"):
        load(tmp_path)


def test_a_place_that_can_not_be_written_is_named(tmp_path):
    blocked = Config(path=write(tmp_path / "file", "") / "c.toml")

    with pytest.raises(ConfigUnreadable, match="can't be written"):
        save_profile(blocked, profile())


@pytest.mark.parametrize(
    "url", ["https://api.codat.io/", "http://127.0.0.1:8080", "http://localhost:1", "http://[::1]:80"]
)
def test_https_and_this_machine_are_safe(url):
    assert check_base_url(url) == url.rstrip("/")


@pytest.mark.parametrize(
    "url",
    ["http://api.codat.io", "ftp://x", "api.codat.io", "", "https://", "http://127.0.0.1.evil.com", "http://[::1",
     "https://user:pw@api.codat.io", "https://api.codat.io?x=1", "https://api.codat.io/v1", "http://localhost:99999"],
)  # fmt: skip
def test_anything_else_is_refused(url):
    with pytest.raises(InsecureUrl):
        check_base_url(url)


def test_a_password_in_an_address_is_not_repeated():
    with pytest.raises(InsecureUrl) as caught:
        check_base_url("https://me:hush@api.codat.io")
    assert "hush" not in caught.value.message


def test_option_goes_before_environment_before_default():
    env = {"CODAT_AR_CONFIG": "/e/c.toml", "CODAT_AR_STATE_DIR": "/e/state"}

    assert config_path(Path("/o/c.toml"), env) == Path("/o/c.toml")
    assert config_path(None, env) == Path("/e/c.toml")
    assert config_path(None, {}).name == "config.toml"
    assert state_dir(Path("/o"), env) == Path("/o")
    assert state_dir(None, env, configured=Path("/c")) == Path("/e/state")
    assert state_dir(None, {}, configured=Path("/c")) == Path("/c")
    assert "codat-ar" in str(state_dir(None, {}))


def test_a_relative_state_directory_lies_beside_its_config_file(tmp_path):
    config = load(write(tmp_path / "c.toml", 'state_dir = "state"\n'))

    assert config.state_dir == tmp_path / "state"
