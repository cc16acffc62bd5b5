"""Who is trusted on the way to Codat: real certificates on a real socket, and the proxies the environment names."""

import datetime as dt
import ipaddress
import re
import socket
import ssl
import threading
import urllib.request
import warnings
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer

import anyio
import httpx
import pytest

from codat_ar_cli.codat import access, errors
from codat_ar_cli.codat.transport import Transport

x509 = pytest.importorskip("cryptography.x509", reason="certificates are made with `cryptography`")
from cryptography.hazmat.primitives import hashes, serialization  # noqa: E402
from cryptography.hazmat.primitives.asymmetric import ec  # noqa: E402

KEY = "canary-key-7f3a91"
NOW = dt.datetime.now(dt.UTC)
PROXIES = ("HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy", "NO_PROXY", "no_proxy")


@pytest.fixture(autouse=True)
def _plain_environment(monkeypatch):
    for name in (*PROXIES, "SSL_CERT_FILE", "SSL_CERT_DIR"):
        monkeypatch.delenv(name, raising=False)


class Authority:
    """A certificate authority of our own, with its PEM file."""

    def __init__(self, folder):
        self.folder = folder
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "our own CA")])
        self.file = folder / "ca.pem"
        basic = x509.BasicConstraints(ca=True, path_length=None)
        own = self._built(self.name, self.key, days=30).add_extension(basic, critical=True)
        self.file.write_bytes(own.sign(self.key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))

    def _built(self, name, key, *, days):
        return (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(self.name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(NOW - dt.timedelta(days=60))
            .not_valid_after(NOW + dt.timedelta(days=days))
        )

    def certificate(self, *, name="localhost", days=30):
        """A PEM file with a certificate and its key."""
        key = ec.generate_private_key(ec.SECP256R1())
        names = [x509.DNSName(name), x509.IPAddress(ipaddress.ip_address("127.0.0.2"))]
        built = self._built(x509.Name([]), key, days=days).add_extension(x509.SubjectAlternativeName(names), True)
        pem = built.sign(self.key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
        pem += key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        path = self.folder / "server.pem"
        path.write_bytes(pem)
        return path


@contextmanager
def serving(certificate, *, newest=None):
    """An https server on this machine that answers `{}` and keeps the headers it was sent; gives both."""
    seen = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            seen.append(dict(self.headers))
            self.send_response(200)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"{}")

        def log_message(self, *_):
            pass

    class Quiet(HTTPServer):
        def handle_error(self, *_):
            pass  # a client that refuses our certificate breaks off

        def get_request(self):
            connection, address = self.socket.accept()
            return context.wrap_socket(connection, server_side=True), address

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    if newest is not None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            context.minimum_version, context.maximum_version = ssl.TLSVersion.MINIMUM_SUPPORTED, newest
        context.set_ciphers("ALL:@SECLEVEL=0")
    server = Quiet(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield f"https://localhost:{server.server_address[1]}", seen
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


async def get(url):
    pauses = []

    async def sleep(seconds):
        pauses.append(seconds)

    async with Transport(base_url=url, api_key=KEY, clock=lambda: NOW, sleep=sleep) as http:
        try:
            return await http.read("/profile"), pauses
        except errors.CodatError as error:
            return error, pauses


@pytest.fixture
def authority(tmp_path):
    return Authority(tmp_path)


@pytest.mark.anyio
async def test_an_own_authority_is_trusted_by_setting(authority, monkeypatch):
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.file))

    with serving(authority.certificate()) as (url, seen):
        answer, _ = await get(url)

    assert answer == {}
    assert seen[0]["Authorization"].startswith("Basic ")


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("trusted", "options", "words"),
    [
        (False, {}, "local issuer|self-signed"),
        (True, {"days": -1}, "expired"),
        (True, {"name": "other.example"}, "[Hh]ostname mismatch"),
    ],
    ids=["unknown-authority", "expired", "wrong-name"],
)
async def test_a_certificate_that_proves_nothing_ends_it_at_once(authority, monkeypatch, trusted, options, words):
    if trusted:
        monkeypatch.setenv("SSL_CERT_FILE", str(authority.file))

    with serving(authority.certificate(**options)) as (url, seen):
        answer, pauses = await get(url)

    assert isinstance(answer, errors.Untrusted)
    assert re.search(words, answer.message)
    assert "SSL_CERT_FILE" in (answer.hint or "")
    assert (pauses, seen) == ([], [])


@pytest.mark.anyio
async def test_an_old_protocol_is_not_spoken(authority, monkeypatch):
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.file))

    with serving(authority.certificate(), newest=ssl.TLSVersion.TLSv1_1) as (url, seen):
        answer, _ = await get(url)

    assert isinstance(answer, errors.NotSent)
    assert seen == []


@pytest.mark.parametrize("content", [None, "no certificate"])
def test_certificates_that_can_not_be_read_are_named(tmp_path, monkeypatch, content):
    file = tmp_path / "ca.pem"
    if content is not None:
        file.write_text(content, encoding="utf-8")
    monkeypatch.setenv("SSL_CERT_FILE", str(file))

    with pytest.raises(errors.UnusableCertificates) as caught:
        access.certificates(True, httpx.URL("https://api.codat.io"))
    assert str(file) in caught.value.message


# Proxies


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({}, None),
        ({"HTTPS_PROXY": "http://user:hush@proxy.example:3128"}, "http://proxy.example:3128"),
        ({"https_proxy": "proxy.example:3128"}, "http://proxy.example:3128"),
        ({"ALL_PROXY": "http://proxy.example:3128"}, "http://proxy.example:3128"),
        ({"HTTP_PROXY": "http://proxy.example:3128"}, None),
        ({"HTTPS_PROXY": "http://proxy.example:3128", "NO_PROXY": "localhost,.codat.io"}, None),
        ({"HTTPS_PROXY": "http://proxy.example:3128", "NO_PROXY": "*"}, None),
        ({"HTTPS_PROXY": ""}, None),
    ],
)
def test_the_proxy_is_the_environments_and_shows_no_password(monkeypatch, environment, expected):
    monkeypatch.setattr(urllib.request, "getproxies", urllib.request.getproxies_environment)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)

    made = Transport(base_url="https://api.codat.io", api_key=KEY, clock=lambda: NOW, sleep=anyio.sleep)

    assert made.proxy_address == expected


@pytest.mark.parametrize("text", ["socks5://127.0.0.1:1", "foo://u:hush@x", "http://[", ":::", "http://"])
def test_a_proxy_that_is_none_is_named_without_its_password(monkeypatch, text):
    monkeypatch.setattr(urllib.request, "getproxies", urllib.request.getproxies_environment)
    monkeypatch.setenv("HTTPS_PROXY", text)

    with pytest.raises(errors.UnusableProxy) as caught:
        access.proxy_for(httpx.URL("https://api.codat.io"))
    assert "hush" not in str(caught.value)


@pytest.mark.anyio
async def test_a_proxy_that_refuses_learns_the_host_but_not_the_key(monkeypatch):
    told: list[bytes] = []

    def refuse():
        for _ in range(5):
            connection, _address = listener.accept()
            with connection:
                told.append(connection.recv(65536))
                connection.sendall(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n")

    with socket.create_server(("127.0.0.1", 0)) as listener:
        monkeypatch.setenv("HTTPS_PROXY", f"http://me:hush@127.0.0.1:{listener.getsockname()[1]}")
        thread = threading.Thread(target=refuse, daemon=True)
        thread.start()
        answer, pauses = await get("https://api.codat.invalid")
        thread.join(10)

    assert isinstance(answer, errors.NotSent)
    assert "through the proxy http://127.0.0.1:" in answer.message
    assert "hush" not in answer.message
    assert all(each.startswith(b"CONNECT api.codat.invalid:443") for each in told)
    assert KEY.encode() not in b"".join(told)
    assert b"Authorization: Basic Y2FuYXJ5" not in b"".join(told)
    assert len(pauses) == 4


def test_this_machine_is_never_reached_through_a_proxy(monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", "http://proxy.example:3128")
    monkeypatch.setenv("ALL_PROXY", "http://proxy.example:3128")

    assert access.proxy_for(httpx.URL("http://127.0.0.1:8080")) is None
    assert access.proxy_for(httpx.URL("https://localhost")) is None
