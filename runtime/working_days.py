"""Which days a workspace works."""

from runtime.context import Context
from schemas.calendars import Calendar, of_country

CHINESE_ZONES = ("Asia/Shanghai", "Asia/Chongqing", "Asia/Harbin", "Asia/Urumqi", "Asia/Kashgar", "PRC")


def of_workspace(ctx: Context) -> Calendar:
    """The official calendar of the country that its time zone lies in where we know it, else Monday to Friday."""
    official = of_country("CN") if str(ctx.zone) in CHINESE_ZONES else None
    return official or Calendar()
