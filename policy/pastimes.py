"""Names of mail and social media on the internet: what no control zone has to do with.

Only services that are for people. What they share with others (the networks that deliver anybody's files) is left
out: such a name says nothing of who asked for what.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

#: Domain -> what it is. A name belongs to a domain that it ends with, at a dot.
DOMAINS: Final[Mapping[str, str]] = MappingProxyType(
    {
        **dict.fromkeys(
            (
                "bsky.app",
                "discord.com",
                "discord.gg",
                "facebook.com",
                "instagram.com",
                "linkedin.com",
                "mastodon.social",
                "messenger.com",
                "pinterest.com",
                "reddit.com",
                "snapchat.com",
                "telegram.org",
                "threads.net",
                "tiktok.com",
                "tumblr.com",
                "twitch.tv",
                "twitter.com",
                "vk.com",
                "wechat.com",
                "weibo.com",
                "whatsapp.com",
                "whatsapp.net",
                "x.com",
                "youtube.com",
            ),
            "social media",
        ),
        **dict.fromkeys(
            (
                "gmail.com",
                "gmx.com",
                "gmx.net",
                "hotmail.com",
                "imap.gmail.com",
                "mail.google.com",
                "mail.proton.me",
                "mail.ru",
                "mail.yahoo.com",
                "outlook.com",
                "outlook.live.com",
                "outlook.office.com",
                "outlook.office365.com",
                "smtp.office365.com",
                "zoho.com",
            ),
            "mail",
        ),
    }
)

#: Protocols of mail.
MAIL_SERVICES: Final = ("smtp", "imap", "pop3")

#: A name's domain, where it is one of these; the longest of them.
PATTERN: Final = r"(?:^|\.)(" + "|".join(map(re.escape, sorted(DOMAINS, key=len, reverse=True))) + r")\.?$"
