"""Keys come from where they are kept, and show themselves to nobody."""

import base64
import os
import pickle
import stat
import sys

import keyring
import keyring.backend
import keyring.backends.fail
import pytest

from codat_ar_cli.domain.keys import KeyKind, KeySource
from codat_ar_cli.errors import ExitCode
from codat_ar_cli.secrets import (
    KeyCommandFailed,
    KeyFileExposed,
    KeyFileUnreadable,
    KeyMalformed,
    KeyMissing,
    KeyringUnavailable,
    Secret,
    parse_key,
    read_key,
    redact,
    store_key,
)

CANARY = "canary-3f9c2d71"

posix = pytest.mark.skipif(os.name != "posix", reason="mode bits are POSIX")


class MemoryKeyring(keyring.backend.KeyringBackend):
    """A keyring that forgets everything at the end of the test."""

    priority = 1

    def __init__(self):
        super().__init__()
        self.entries = {}

    def get_password(self, service, username):
        return self.entries.get((service, username))

    def set_password(self, service, username, password):
        self.entries[service, username] = password


def test_a_home_folder_that_nobody_has_is_named():
    with pytest.raises(KeyFileUnreadable, match="does not know"):
        read_key(KeySource(KeyKind.FILE, path="~nobody-has-this-name/key"), {})


@pytest.fixture
def use_keyring():
    before = keyring.get_keyring()
    yield keyring.set_keyring
    keyring.set_keyring(before)


def command(code: str) -> KeySource:
    return KeySource(KeyKind.COMMAND, command=(sys.executable, "-c", code))


def test_a_secret_shows_itself_to_nobody_but_reveal():
    secret = Secret(CANARY)

    shown = [
        str(secret),
        repr(secret),
        f"{secret}",
        f"{secret!r:>40}",
        f"{[secret]} { ({'k': secret}) }",
        "{}".format(secret),  # noqa: UP032  (another road to the same text)
    ]

    assert not any(CANARY in text for text in shown)
    assert secret.reveal() == CANARY
    assert secret == Secret(CANARY)
    assert secret != Secret("another-key")
    with pytest.raises(TypeError, match="can't be pickled"):
        pickle.dumps(secret)
    assert not hasattr(secret, "__dict__")


def test_redaction_takes_out_the_key_its_header_and_what_the_header_holds():
    encoded = base64.b64encode(b"canary-plain").decode()
    Secret("canary-plain")
    ready = base64.b64encode(b"canary-in-header").decode()
    Secret(f"Basic {ready}")

    text = redact(f"a canary-plain b {encoded} c Basic {ready} d canary-in-header e")

    assert text == "a [redacted] b [redacted] c [redacted] d [redacted] e"


def test_the_environment_gives_the_key():
    assert read_key(KeySource(variable="ACME_KEY"), {"ACME_KEY": f" {CANARY}\n"}).reveal() == CANARY


def test_codat_api_key_goes_before_a_file_but_not_before_a_variable_of_its_own(tmp_path):
    env = {"CODAT_API_KEY": "from-environment", "ACME_KEY": "own-variable"}

    assert read_key(KeySource(KeyKind.FILE, path=str(tmp_path / "none")), env).reveal() == "from-environment"
    assert read_key(KeySource(variable="ACME_KEY"), env).reveal() == "own-variable"


def test_a_missing_variable_is_named():
    with pytest.raises(KeyMissing, match="no API key in environment variable CODAT_API_KEY") as caught:
        read_key(KeySource(), {"CODAT_API_KEY": "  "})

    assert caught.value.exit_code is ExitCode.USAGE
    assert caught.value.code == "key.missing"


@pytest.mark.parametrize("text", ["two words", "two\nlines", "Basic", "Basic ", "k\x1bey", "клю", "x" * 5000])
def test_what_can_not_be_a_key_is_refused_without_showing_it(text):
    with pytest.raises((KeyMalformed, KeyMissing)) as caught:
        parse_key(text, where="somewhere")

    assert caught.value.code == "key.malformed"
    assert text not in str(caught.value).replace("can't be an API key", "")


def test_a_ready_header_is_kept_as_it_is():
    assert parse_key("  Basic   YWJj\n", where="x").reveal() == "Basic YWJj"


def test_a_stored_file_is_the_owners_only_and_read_back(tmp_path):
    source = KeySource(KeyKind.FILE, path="keys/codat")
    before = os.umask(0) if os.name == "posix" else None
    try:
        store_key(source, Secret(CANARY), folder=tmp_path)
    finally:
        if before is not None:
            os.umask(before)

    assert read_key(source, {}, folder=tmp_path).reveal() == CANARY
    assert [path.name for path in (tmp_path / "keys").iterdir()] == ["codat"]
    if os.name == "posix":
        assert stat.S_IMODE((tmp_path / "keys" / "codat").stat().st_mode) == 0o600


@posix
@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o777])
def test_a_file_others_can_reach_is_refused(tmp_path, mode):
    path = tmp_path / "key"
    path.write_text(CANARY)
    path.chmod(mode)

    with pytest.raises(KeyFileExposed, match=f"is open to others \\(mode {mode:04o}\\); expected 0600") as caught:
        read_key(KeySource(KeyKind.FILE, path=str(path)), {})

    assert "chmod 600" in (caught.value.hint or "")


def test_a_missing_or_unreadable_file_is_named(tmp_path):
    with pytest.raises(KeyMissing, match="does not exist"):
        read_key(KeySource(KeyKind.FILE, path=str(tmp_path / "none")), {})
    with pytest.raises(KeyFileUnreadable, match="can't be read"):
        read_key(KeySource(KeyKind.FILE, path=str(tmp_path)), {})
    (tmp_path / "key").write_bytes(b"\xff\xfe")
    (tmp_path / "key").chmod(0o600)
    with pytest.raises(KeyMalformed, match="is not text"):
        read_key(KeySource(KeyKind.FILE, path=str(tmp_path / "key")), {})


def test_a_file_that_can_not_be_written_is_named(tmp_path):
    (tmp_path / "file").touch()

    with pytest.raises(KeyFileUnreadable, match="can't be written"):
        store_key(KeySource(KeyKind.FILE, path=str(tmp_path / "file" / "key")), Secret(CANARY))


def test_the_keyring_keeps_and_gives_the_key(use_keyring):
    use_keyring(MemoryKeyring())
    source = KeySource(KeyKind.KEYRING, account="acme")

    with pytest.raises(KeyMissing, match="no API key in keyring entry codat-ar/acme"):
        read_key(source, {})
    store_key(source, Secret(CANARY))

    assert read_key(source, {}).reveal() == CANARY


def test_a_system_without_keyring_is_said_in_one_line(use_keyring):
    use_keyring(keyring.backends.fail.Keyring())
    source = KeySource(KeyKind.KEYRING, account="acme")

    for act in (lambda: read_key(source, {}), lambda: store_key(source, Secret(CANARY))):
        with pytest.raises(KeyringUnavailable, match="this system's keyring can't be used") as caught:
            act()
        assert "\n" not in caught.value.message
        assert "--key-file" in (caught.value.hint or "")


def test_a_command_gives_its_first_line():
    assert read_key(command(f"print('{CANARY}'); print('more')"), {}).reveal() == CANARY


def test_a_failing_command_is_named_without_its_output(capfd):
    with pytest.raises(KeyCommandFailed, match="failed with exit code 3") as caught:
        read_key(command(f"print('{CANARY}'); raise SystemExit(3)"), {})

    assert CANARY not in f"{caught.value}{caught.value.hint}{caught.value.details}"
    assert CANARY not in "".join(capfd.readouterr())


def test_a_command_that_is_not_there_prints_nothing_or_hangs_is_named(monkeypatch):
    monkeypatch.setattr("codat_ar_cli.secrets.COMMAND_TIMEOUT", 0.3)

    with pytest.raises(KeyCommandFailed, match="was not found"):
        read_key(KeySource(KeyKind.COMMAND, command=("no-such-program-here",)), {})
    with pytest.raises(KeyMissing, match="no API key in command"):
        read_key(command("pass"), {})
    with pytest.raises(KeyCommandFailed, match="gave no answer"):
        read_key(command("import time; time.sleep(5)"), {})


def test_environment_and_command_can_not_be_written_to():
    with pytest.raises(ValueError, match="can't be stored"):
        store_key(KeySource(), Secret(CANARY))
