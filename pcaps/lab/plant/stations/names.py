"""Names that stations and scenarios share."""

from __future__ import annotations

from typing import Final

#: An older OPC UA server beside the first: it has no certificate, so that a password comes to it in clear.
OLD_PORT: Final = 4841
#: The account of both; made for the lab, and good for nothing else.
ACCOUNT: Final = "operator"
PASSWORD: Final = "crusher-2-night"  # noqa: S105
#: In the options of a program: the folder with the plant's keys.
KEYS: Final = "{keys}"
#: Of the screens that are shown by VNC (which takes eight characters), and of who logs in to desktops.
SCREEN_PASSWORD: Final = "mill-9qz"  # noqa: S105
DESKTOP_PASSWORD: Final = "thickener-4-dawn"  # noqa: S105
