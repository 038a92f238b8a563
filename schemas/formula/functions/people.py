"""Facts of people, under the names that other builders give them."""

from typing import Any

from schemas.formula.functions.base import function
from schemas.formula.sql import Sql
from schemas.formula.values import Need, Run

NAME = Need("me", ("name",))


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
