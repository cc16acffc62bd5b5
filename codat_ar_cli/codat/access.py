"""Where Codat is, how we get there, whom we trust on the way, and how we show who we are (reference §1, design D3)."""

import base64
import ipaddress
import os
import ssl
import urllib.request
from collections.abc import Generator, Mapping

import httpx

from codat_ar_cli.codat import errors
from codat_ar_cli.domain.keys import appearances


class KeyAuth(httpx.Auth):
    """Puts the key on requests to one origin and on no other. Never prints itself."""

    __slots__ = ("_header", "_origin", "_secrets")

    def __init__(self, api_key: str, origin: tuple[str, str, int | None]) -> None:
        self._header = authorization(api_key)
        self._origin = origin
        self._secrets = appearances(api_key)

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Add the header, where the request goes to the base address."""
        if origin_of(request.url) == self._origin:
            request.headers["Authorization"] = self._header
        yield request

    def redact(self, text: str) -> str:
        """Take the key, in each of its forms, out of text that comes from outside."""
        for secret in self._secrets:
            text = text.replace(secret, "(the API key)")
        return text

    def __repr__(self) -> str:
        return "KeyAuth(…)"


def authorization(api_key: str) -> str:
    """Make the header value: base64 of the key alone, no colon (reference §1); a pasted `Basic …` is kept.

    Raises UnusableKey for an empty key and for one with line breaks or control characters inside.
    """
    key = api_key.strip()
    if not key:
        raise errors.UnusableKey("is empty")
    if not key.isprintable():
        raise errors.UnusableKey("holds line breaks or control characters")
    scheme, _, token = key.partition(" ")
    if scheme.lower() == "basic":
        if not token.strip().isascii() or not token.strip():
            raise errors.UnusableKey("starts with `Basic` but no ready header follows")
        return f"Basic {token.strip()}"
    return "Basic " + base64.b64encode(key.encode()).decode()


def origin_of(url: httpx.URL) -> tuple[str, str, int | None]:
    """Scheme, host and port, with the scheme's own port left out."""
    return url.scheme, url.host, url.port


def base_address(text: str) -> httpx.URL:
    """Check and normalise the base address: https, or http to this machine; no path, query or user.

    Raises UnsafeAddress.
    """
    hint = "use https://api.codat.io, or http://127.0.0.1:PORT for the sandbox"
    try:
        url = httpx.URL(text.strip())
        host = url.host
    except (httpx.InvalidURL, ValueError) as error:  # a host that IDNA can't read is a ValueError
        raise errors.UnsafeAddress(f"`{text}` is not an address: {error}", hint=hint) from error
    if "%" in host:
        raise errors.UnsafeAddress(f"`{text}` is not an address: its host has characters that no host has", hint=hint)
    if url.scheme not in {"http", "https"} or not url.host:
        raise errors.UnsafeAddress(f"`{text}` is not an https address", hint=hint)
    if url.userinfo:
        raise errors.UnsafeAddress("the base address must hold no user name or password", hint=hint)
    if url.path not in {"", "/"} or url.query or url.fragment:
        raise errors.UnsafeAddress(f"`{text}` has more than a host: a path or query means nothing here", hint=hint)
    if url.scheme == "http" and not is_loopback(url.host):
        raise errors.UnsafeAddress(
            f"http to `{url.host}` would send the API key unprotected; https is needed beyond this machine", hint=hint
        )
    return url.copy_with(path="/")


def is_loopback(host: str) -> bool:
    """Tell whether a host is this machine, by its literal name or address; no name is looked up."""
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def proxy_for(base: httpx.URL) -> httpx.Proxy | None:
    """Give the proxy that environment or system name for an address (`HTTPS_PROXY`, `NO_PROXY`…); None: go straight.

    What stays on this machine never goes through one. Raises UnusableProxy.
    """
    if is_loopback(base.host) or urllib.request.proxy_bypass(base.host):
        return None
    named = urllib.request.getproxies()
    text = named.get(base.scheme) or named.get("all")
    if not text:
        return None
    try:
        proxy = httpx.Proxy(text if "://" in text else f"http://{text}")
        usable = proxy.url.scheme in {"http", "https"} and bool(proxy.url.host) and not set("[]%") & set(proxy.url.host)
    except (httpx.InvalidURL, ValueError):
        usable = False
    if not usable:
        raise errors.UnusableProxy  # its text may hold a password
    return proxy


def certificates(
    verify: ssl.SSLContext | str | bool, base: httpx.URL, env: Mapping[str, str] = os.environ
) -> ssl.SSLContext | bool:
    """Say whom to trust: `verify` where it names a CA file, else `SSL_CERT_FILE` or `SSL_CERT_DIR`, else the usual CAs.

    Raises UnusableCertificates; ValueError for False, since checks can't be switched off.
    """
    if verify is False:
        raise ValueError("certificate checks can't be switched off; name your own CA file instead")
    if base.scheme == "http":
        return False  # loopback: there is no certificate, and loading the CA file would only slow the start
    if isinstance(verify, ssl.SSLContext):
        return verify
    file = verify if isinstance(verify, str) else env.get("SSL_CERT_FILE")
    folder = None if file else env.get("SSL_CERT_DIR")
    if not file and not folder:
        return True
    try:
        return ssl.create_default_context(cafile=file or None, capath=folder or None)
    except OSError as error:  # ssl.SSLError is one
        raise errors.UnusableCertificates(file or folder or "", error) from error
