"""What a browser says of itself, in the words people use for it."""

import re
from typing import NamedTuple

BROWSERS = (
    ("WeChat", r"MicroMessenger/"),
    ("DingTalk", r"DingTalk/"),
    ("WeCom", r"wxwork/"),
    ("Feishu", r"Lark/|Feishu/"),
    ("Edge", r"Edg(?:e|A|iOS)?/"),
    ("QQ Browser", r"M?QQBrowser/"),
    ("UC Browser", r"UCBrowser/"),
    ("Opera", r"OPR/"),
    ("Samsung Internet", r"SamsungBrowser/"),
    ("Firefox", r"Firefox/|FxiOS/"),
    ("Chrome", r"Chrom(?:e|ium)/|CriOS/"),
    ("Safari", r"Version/[\d.]+.*Safari/"),
)
SYSTEMS = (
    ("HarmonyOS", r"HarmonyOS|OpenHarmony"),
    ("iPad", r"iPad"),
    ("iPhone", r"iPhone"),
    ("Android", r"Android"),
    ("Windows", r"Windows"),
    ("macOS", r"Mac OS X|Macintosh"),
    ("ChromeOS", r"CrOS"),
    ("Linux", r"Linux|X11"),
)
PHONES = {"HarmonyOS", "iPad", "iPhone", "Android"}


class Device(NamedTuple):
    """A browser and what it runs on; empty where it does not say."""

    browser: str
    system: str

    @property
    def portable(self) -> bool:
        return self.system in PHONES

    def __str__(self) -> str:
        return " · ".join(part for part in self if part)


def device(agent: str | None) -> Device:
    """The first name that fits: most browsers also claim to be others."""
    said = agent or ""
    return Device(*(next((name for name, sign in known if re.search(sign, said)), "") for known in (BROWSERS, SYSTEMS)))
