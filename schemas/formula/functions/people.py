"""Facts of people, under the names that other builders give them."""

from typing import Any

from schemas.formula.functions.base import function
from schemas.formula.sql import Sql
from schemas.formula.values import Need, Run

NAME = Need("me", ("name",))
ADDRESS = Need("me", ("ip",))


@function(
    "GETUSERNAME",
    "-> text",
    world=True,
    need=NAME,
    sql=lambda: Sql("me_name"),
    zh="当前用户的姓名",
    en="The name of the member who asks.",
    example="GETUSERNAME()",
)
def user_name(run: Run) -> Any:
    return run.world.answers.get(NAME)


@function(
    "IP",
    "-> text",
    world=True,
    need=ADDRESS,
    zh="填写者的 IP 地址；由后台任务写入时为空",
    en="The IP address from which it is written; blank where a job writes.",
    example="IP()",
)
def address(run: Run) -> Any:
    return run.world.answers.get(ADDRESS)
