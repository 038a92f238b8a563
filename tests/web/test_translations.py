"""Every sentence of the interface is there in Chinese, with the same values in it."""

import re
from string import Formatter

import pytest

from runtime import catalogue

PLACEHOLDER = re.compile(r"%\(\w+\)s")
ZH = {m.id: m.string for m in catalogue.read("zh") if m.id}


def test_no_sentence_is_untranslated():
    missing = sorted(s for s in catalogue.sentences() if s and not ZH.get(s))
    assert not missing, "run make translations, then translate these in the .po file"


@pytest.mark.parametrize("sentence", sorted(ZH))
def test_the_same_values_stand_in_both_languages(sentence):
    assert sorted(PLACEHOLDER.findall(sentence)) == sorted(PLACEHOLDER.findall(ZH[sentence]))
    assert braces(sentence) == braces(ZH[sentence])


def braces(text):
    try:
        return sorted(name for _, name, _, _ in Formatter().parse(text) if name is not None)
    except ValueError:
        return text.count("{")


def test_what_is_compiled_is_what_is_written():
    compiled = catalogue.path_of("zh").with_suffix(".mo").read_bytes()
    assert compiled == catalogue.compiled(catalogue.read("zh"))


def test_pages_speak_the_reader_s_language(app):
    client = app.test_client()
    assert "登录" in client.get("/sign-in", headers={"Accept-Language": "zh-CN"}).text
    assert "Sign in" in client.get("/sign-in", headers={"Accept-Language": "en-GB"}).text
