"""Angles and their functions."""

import math
from collections.abc import Callable
from decimal import Decimal

from schemas.formula.functions.base import function
from schemas.formula.functions.math import real
from schemas.formula.values import DIV0, NUM, Fault


def angle(name: str, compute: Callable[[float], float], zh: str, en: str, example: str) -> None:
    @function(
        name,
        "number -> number",
        zh=zh,
        en=en,
        example=example,
    )
    def computed(number: Decimal) -> Decimal:
        try:
            return real(compute(float(number)))
        except ZeroDivisionError:
            raise Fault(DIV0) from None
        except (ValueError, OverflowError):
            raise Fault(NUM) from None


angle("SIN", math.sin, "正弦", "The sine of an angle in radians.", "SIN(PI() / 2)")
angle("COS", math.cos, "余弦", "The cosine of an angle in radians.", "COS(0)")
angle("TAN", math.tan, "正切", "The tangent of an angle in radians.", "TAN(RADIANS(45))")
angle("COT", lambda x: 1 / math.tan(x), "余切", "The cotangent of an angle in radians.", "COT(RADIANS(45))")
angle("ASIN", math.asin, "反正弦", "The angle whose sine is given.", "ASIN(1)")
angle("ACOS", math.acos, "反余弦", "The angle whose cosine is given.", "ACOS(0)")
angle("ATAN", math.atan, "反正切", "The angle whose tangent is given.", "ATAN(1)")
angle("RADIANS", math.radians, "角度转弧度", "Degrees as radians.", "RADIANS(180)")
angle("DEGREES", math.degrees, "弧度转角度", "Radians as degrees.", "DEGREES(PI())")
angle(
    "SQRTPI",
    lambda x: math.sqrt(x * math.pi),
    "与圆周率之积的平方根",
    "The root of a number times pi.",
    "SQRTPI(2)",
)


@function(
    "PI",
    "-> number",
    zh="圆周率",
    en="The number pi.",
    example="PI()",
)
def pi() -> Decimal:
    return Decimal("3.14159265358979")
