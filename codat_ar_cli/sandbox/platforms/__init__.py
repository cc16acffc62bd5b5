"""Every accounting platform the sandbox can play, by Codat's key and by a name people type."""

from codat_ar_cli.sandbox.platforms.codat_sandbox import CODAT_SANDBOX
from codat_ar_cli.sandbox.platforms.platform import Platform
from codat_ar_cli.sandbox.platforms.quickbooks_online import QUICKBOOKS_ONLINE
from codat_ar_cli.sandbox.platforms.xero import XERO

ALL = (XERO, QUICKBOOKS_ONLINE, CODAT_SANDBOX)
"""To add a platform: write its module, list it here."""

PLATFORMS: dict[str, Platform] = {name: platform for platform in ALL for name in (platform.key, platform.slug)}
"""Platforms by key (`gbol`) and by slug (`xero`)."""


def platform_named(text: str) -> Platform:
    """Find a platform by key or slug, any case.

    Raises:
        ValueError: the name is unknown; the message lists the known ones.
    """
    try:
        return PLATFORMS[text.strip().casefold()]
    except KeyError:
        raise ValueError(f"platform `{text}` is unknown; known: {', '.join(sorted(PLATFORMS))}") from None
