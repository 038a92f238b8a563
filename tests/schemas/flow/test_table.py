"""Named scenarios: steps -> expected state. After every event the invariants of `play.check` must hold, too."""

from typing import Any

import pytest

from schemas.engine import State, replay
from schemas.engine.rehearsal import Rehearsal
from tests.schemas.flow.play import check
from tests.schemas.flow.table import ask, choose, fill, parallel, scenario, tell, update, when

PAY = fill("pay", "dan")
LINE = [ask("one", "ben"), ask("two", "cleo"), ask("three", "dan")]
BACK = [ask("one", "ben"), ask("two", "cleo"), ask("three", "dan", after_return="back", return_to=["one", "start"])]


def heads(id: str, **who: Any) -> dict[str, Any]:
    return {"id": id, "type": "approve", "who": {"head_of": "starter", **who}, "quorum": "in_order"}


def due(span: str, *then: Any, **more: Any) -> dict[str, Any]:
    return {"due": {"in": span, "then": list(then)}, **more}


CHOSEN = {"who": {"chosen_by": "starter"}}
BY_LAST = {"who": {"chosen_by": "previous", "among": [{"role": "dan"}, {"role": "eve"}]}}
SUB: dict[str, Any] = {"id": "sub", "type": "subflow", "flow": "other"}
WEIGHED: dict[str, Any] = {
    "id": "vote", "type": "approve", "reject": "counts",
    "who": [{"role": "ben", "weight": 30}, {"role": "cleo", "weight": 35}, {"role": "dan", "weight": 35}],
}  # fmt: skip

QUORUMS: dict[str, dict[str, Any]] = {
    "countersign: the first approval leaves one, the second goes on": scenario(
        [ask("both", "ben", "cleo", quorum="all"), PAY, tell("cc", "eve", "fay")],
        "start > both: ben cleo", "ben approve > both: cleo", "cleo approve > pay: dan", "dan submit > approved; told eve fay"),
    "countersign: one rejection is enough": scenario(
        [ask("both", "ben", "cleo", quorum="all")], "start", "ben reject > rejected"),
    "or-sign: the first approval closes the others": scenario(
        [ask("either", "ben", "cleo", "dan"), PAY], "start > either: ben cleo dan", "cleo approve > pay: dan",
        "ben approve > ! no such task"),
    "or-sign: a rejection sends it to the start, and it can come again": scenario(
        [ask("either", "ben", "cleo")], "start", "ben reject > start: amy", "amy submit > either: ben cleo",
        "cleo approve > approved", flow={"on_reject": "start"}),
    "or-sign: a rejection that only counts leaves the others": scenario(
        [ask("either", "ben", "cleo", reject="counts")], "start", "ben reject > either: cleo", "cleo approve > approved"),
    "in order: one after the other": scenario(
        [ask("line", "ben", "cleo", "dan", quorum="in_order")], "start > line: ben", "ben approve > line: cleo",
        "cleo approve > line: dan", "dan approve > approved"),
    "in order: by place and not by person, after a transfer": scenario(
        [ask("line", "ben", "cleo", "dan", quorum="in_order")], "start > line: ben", "ben transfer eve > line: eve",
        "eve approve > line: cleo", "cleo approve > line: dan"),
    "in order: a rejection ends it at once": scenario(
        [ask("line", "ben", "cleo", quorum="in_order")], "start", "ben reject > rejected"),
    "in order: the next one's turn is not open to them before": scenario(
        [ask("line", "ben", "cleo", quorum="in_order")], "start", "cleo approve > ! no such task"),
    "a percentage of two: both approve": scenario(
        [ask("vote", "ben", "cleo", quorum={"percent": 60}, reject="counts")], "start", "ben approve > running",
        "cleo approve > approved"),
    "a percentage of two: one approves, one rejects": scenario(
        [ask("vote", "ben", "cleo", quorum={"percent": 60}, reject="counts")], "start", "ben approve > running",
        "cleo reject > rejected"),
    "a percentage of two: it can no longer pass": scenario(
        [ask("vote", "ben", "cleo", quorum={"percent": 60}, reject="counts")], "start", "ben reject > rejected"),
    "two rejections of two are needed: one approval passes at once": scenario(
        [ask("vote", "ben", "cleo", reject="counts")], "start", "ben approve > approved"),
    "two rejections of two are needed: both reject": scenario(
        [ask("vote", "ben", "cleo", reject="counts")], "start", "ben reject > vote: cleo", "cleo reject > rejected"),
    "a count: two of four are enough, the rest close": scenario(
        [ask("vote", "ben", "cleo", "dan", "eve", quorum={"count": 2}), PAY], "start", "ben approve > vote: cleo dan eve",
        "eve approve > pay: dan"),
    "a count: more than there are means all": scenario(
        [ask("vote", "ben", "cleo", quorum={"count": 9})], "start", "ben approve > running", "cleo approve > approved"),
    "weights: 30 of 100 are not half": scenario(
        [{**WEIGHED, "quorum": {"percent": 50}}], "start", "ben approve > vote: cleo dan", "cleo approve > approved"),
    "weights: 70 against make half impossible": scenario(
        [{**WEIGHED, "quorum": {"percent": 50}}], "start", "cleo reject > running", "dan reject > rejected"),
    "fill in: two must send it": scenario(
        [fill("pay", "ben", "cleo", quorum="all")], "start", "ben submit > pay: cleo", "cleo submit > ended"),
    "fill in: there is nothing to reject": scenario([PAY], "start", "dan reject > ! does not offer"),
}  # fmt: skip

WHO: dict[str, dict[str, Any]] = {
    "the head of the starter": scenario([heads("up")], "start > up: ben"),
    "the head two levels up": scenario([heads("up", level=2)], "start > up: cleo"),
    "level by level up to a level": scenario(
        [heads("up", up_to=3)], "start > up: ben", "ben approve > up: cleo", "cleo approve > up: dan", "dan approve > approved"),
    "level by level up to a role": scenario(
        [heads("up", up_to={"role": "cleo"})], "start > up: ben", "ben approve > up: cleo", "cleo approve > approved"),
    "level by level to the top, where nobody has the role": scenario(
        [heads("up", up_to={"role": "fay"})], "start > up: ben", "ben approve > up: cleo", "cleo approve > up: dan"),
    "level by level from the second": scenario(
        [heads("up", level=2, up_to=3)], "start > up: cleo", "cleo approve > up: dan", "dan approve > approved"),
    "the head of a member in a field": scenario(
        [{"id": "up", "type": "approve", "who": {"head_of": {"field": "owner"}}}], "start > up: cleo", values={"owner": "ben"}),
    "the head of a department in a field": scenario(
        [{"id": "up", "type": "approve", "who": {"head_of": {"field": "unit"}}}], "start > up: eve", values={"unit": "sales"},
        departments={"sales": {"head": "eve"}}),
    "the head of a department, which has none, is that of the one above": scenario(
        [{"id": "up", "type": "approve", "who": {"head_of": {"field": "unit"}}}], "start > up: fay", values={"unit": "sales"},
        departments={"sales": {"parent": "all"}, "all": {"head": "fay"}}),
    "the head of whoever fills a slot": scenario(
        [{"id": "up", "type": "approve", "who": {"head_of": {"slot": "advice"}}}], "start > up: cleo", slots={"advice": "ben"}),
    "a department's members, by a slot": scenario(
        [{"id": "all", "type": "approve", "who": {"slot": "advice"}, "quorum": "all"}], "start > all: cleo eve",
        slots={"advice": "law"}, departments={"law": {}}, members={"cleo": {"department": "law"}, "eve": {"department": "law"}}),
    "members of a field": scenario(
        [{"id": "them", "type": "approve", "who": {"field": "owners"}, "quorum": "all"}], "start > them: eve fay",
        values={"owners": ["eve", "fay"]}),
    "the previous approver": scenario(
        [ask("one", "ben", "cleo"), {"id": "two", "type": "handle", "who": "previous"}], "start", "cleo approve > two: cleo"),
    "a person is asked once, however they are meant": scenario(
        [{"id": "one", "type": "approve", "who": [{"role": "ben"}, {"head_of": "starter"}], "quorum": "all"}],
        "start > one: ben"),
    "whoever left is not asked": scenario([ask("one", "ben", "cleo")], "start > one: cleo", members={"ben": {"left": True}}),
    "who is asked is found out again after a return": scenario(
        [{"id": "one", "type": "approve", "who": {"field": "owner"}}], "start > one: ben", "ben return > start: amy",
        "set owner=eve", "amy submit > one: eve", values={"owner": "ben"}),
    "chosen by the starter: first they choose": scenario(
        [{"id": "one", "type": "approve", **CHOSEN}], "start > one: amy", "amy approve > ! does not offer",
        "amy choose cleo dan > one: cleo dan", "cleo approve > approved"),
    "chosen by the starter when it is sent": scenario(
        [{"id": "one", "type": "approve", **CHOSEN}], "start > one: eve", chosen={"one": ["eve"]}),
    "chosen by the starter: nobody is no choice": scenario(
        [{"id": "one", "type": "approve", **CHOSEN}], "start", "amy choose > ! offered"),
    "a choice is kept over a return": scenario(
        [{"id": "one", "type": "approve", **CHOSEN}], "start", "amy choose eve > one: eve", "eve return > start: amy",
        "amy submit > one: eve"),
    "chosen by the previous approver, among some": scenario(
        [ask("one", "ben"), {"id": "two", "type": "approve", **BY_LAST}], "start", "ben approve > two: ben",
        "ben choose fay > ! offered", "ben choose eve > two: eve", "eve approve > approved"),
    "chosen by the previous approver as they approve": scenario(
        [ask("one", "ben"), {"id": "two", "type": "approve", **BY_LAST}], "start",
        "ben approve > two: ben", "ben choose dan > two: dan"),
    "who chooses may hand the choice on": scenario(
        [{"id": "one", "type": "approve", **CHOSEN}], "start", "amy transfer ben > one: ben", "ben choose cleo > one: cleo"),
    "nobody to choose: there is nobody to ask": scenario(
        [{"id": "one", "type": "approve", **CHOSEN}], "start > failed; waits one=problem", starter=""),
    "somebody outside answers by a link": scenario(
        [{"id": "one", "type": "approve", "who": {"link": "mail"}}], "start > one: mailto:eva@example.org",
        "mailto:eva@example.org transfer ben > ! does not offer", "mailto:eva@example.org approve > approved",
        values={"mail": "eva@example.org"}),
    "an address that is none is nobody": scenario(
        [{"id": "one", "type": "approve", "who": {"link": "mail"}}], "start > failed", values={"mail": "eva"}),
}  # fmt: skip

NOBODY: dict[str, dict[str, Any]] = {
    "nobody: stop, and go on when helped": scenario(
        [ask("one", "gone"), PAY], "start > failed; waits one=problem", "admin retry > failed", "admin skip > pay: dan"),
    "nobody: skip": scenario([ask("one", "gone", if_nobody="skip"), PAY], "start > pay: dan; log skipped"),
    "nobody: a substitute": scenario([ask("one", "gone", if_nobody={"role": "eve"})], "start > one: eve"),
    "nobody, and no substitute either": scenario([ask("one", "gone", if_nobody={"role": "gone"})], "start > failed"),
    "self: ask": scenario([ask("one", "amy")], "start > one: amy", "amy approve > approved"),
    "self: skip": scenario([ask("one", "amy", if_self="skip"), PAY], "start > pay: dan; log skipped"),
    "self: skip one of two": scenario([ask("one", "amy", "ben", if_self="skip", quorum="all")], "start > one: ben"),
    "self: the head is asked instead": scenario([ask("one", "amy", if_self="head")], "start > one: ben"),
    "self: there is no head, so nobody": scenario(
        [ask("one", "dan", if_self="head", if_nobody="skip"), PAY], "start > pay: dan", starter="dan"),
    "repeated: approved for them": scenario(
        [ask("one", "ben"), ask("two", "cleo"), ask("three", "ben", if_repeated="approve")], "start", "ben approve > two: cleo",
        "cleo approve > approved"),
    "repeated: only after the step just before": scenario(
        [ask("one", "ben"), ask("two", "cleo"), ask("three", "ben", if_repeated="approve_next")], "start", "ben approve",
        "cleo approve > three: ben"),
    "repeated: it was the step just before": scenario(
        [ask("one", "ben"), ask("two", "ben", if_repeated="approve_next"), ask("three", "ben", if_repeated="approve_next")],
        "start > one: ben", "ben approve > approved"),
    "repeated: never after a return": scenario(
        [ask("one", "ben"), ask("two", "cleo"), ask("three", "ben", if_repeated="approve")], "start", "ben approve",
        "cleo return > start: amy", "amy submit > one: ben", "ben approve > two: cleo", "cleo approve > three: ben"),
    "repeated: the others of a countersign are still asked": scenario(
        [ask("one", "ben"), ask("two", "ben", "cleo", quorum="all", if_repeated="approve")], "start",
        "ben approve > two: cleo", "cleo approve > approved"),
    "repeated in order: the turn passes on": scenario(
        [ask("one", "ben"), ask("two", "ben", "cleo", "dan", quorum="in_order", if_repeated="approve")], "start",
        "ben approve > two: cleo"),
}  # fmt: skip

ACTIONS: dict[str, dict[str, Any]] = {
    "return to the start, and the same step opens in a new round": scenario(
        LINE, "start", "ben return > start: amy", "amy submit > one: ben", "ben approve > two: cleo"),
    "return to a chosen step replays what lies between": scenario(
        [*LINE[:2], ask("three", "dan", return_to=["one", "two", "start"])], "start", "ben approve", "cleo approve > three: dan",
        "dan return one > one: ben", "ben approve > two: cleo", "cleo approve > three: dan"),
    "return, and straight back": scenario(
        BACK, "start", "ben approve", "cleo approve", "dan return one > one: ben", "ben approve > three: dan"),
    "return to the start, and straight back": scenario(
        BACK, "start", "ben approve", "cleo approve", "dan return start > start: amy", "amy submit > three: dan"),
    "who returns says whether it comes straight back": scenario(
        [*LINE[:2], ask("three", "dan", after_return="ask", return_to=["one"])], "start", "ben approve", "cleo approve",
        "dan return one back=yes > one: ben", "ben approve > three: dan", "dan return one > one: ben", "ben approve > two: cleo"),
    "return to the step before": scenario(
        [*LINE[:2], ask("three", "dan", return_to=["previous"])], "start", "ben approve", "cleo approve", "dan return > two: cleo"),
    "return where that is not possible": scenario(
        [ask("one", "ben", return_to=["start"]), ask("two", "cleo")], "start", "ben return two > ! step to return to"),
    "return from a countersign is not a step forward": scenario(
        [ask("one", "ben"), ask("both", "cleo", "dan", quorum="all", return_to=["one"])], "start", "ben approve",
        "cleo approve > both: dan", "dan return one > one: ben", "ben approve > both: cleo dan"),
    "only the new round counts": scenario(
        [ask("one", "ben"), ask("both", "cleo", "dan", quorum={"count": 2}, return_to=["one"])], "start", "ben approve",
        "cleo approve", "dan return one", "ben approve > both: cleo dan", "dan approve > both: cleo", "cleo approve > approved"),
    "transfer inside a countersign": scenario(
        [ask("both", "ben", "cleo", quorum="all")], "start", "ben transfer dan > both: dan cleo", "ben approve > ! no such task",
        "dan approve > both: cleo", "cleo approve > approved"),
    "transfer, and transfer again": scenario(
        [ask("one", "ben")], "start", "ben transfer cleo > one: cleo", "cleo transfer dan > one: dan", "dan approve > approved"),
    "nobody gets two voices by a transfer": scenario(
        [ask("both", "ben", "cleo", quorum="all")], "start", "ben transfer cleo > ! asked already"),
    "delegation comes back": scenario(
        [ask("one", "ben"), PAY], "start", "ben delegate cleo > one: cleo", "ben approve > ! no such task",
        "cleo approve > ! does not offer", "cleo answer > one: ben", "ben approve > pay: dan"),
    "delegation of a delegation comes back to the first, and only there": scenario(
        [ask("one", "ben")], "start", "ben delegate cleo > one: cleo", "cleo delegate dan > one: dan", "dan answer > one: ben",
        "cleo answer > ! no such task", "ben approve > approved"),
    "delegation inside a countersign leaves the other voice": scenario(
        [ask("both", "ben", "cleo", quorum="all")], "start", "ben delegate dan > both: cleo dan", "cleo approve > both: dan",
        "dan answer > both: ben", "ben reject > rejected"),
    "an or-sign closes what was delegated": scenario(
        [ask("either", "ben", "cleo"), PAY], "start", "ben delegate eve > either: cleo eve", "cleo approve > pay: dan",
        "eve answer > ! no such task"),
    "a signer before: they sign, then it is the holder's turn again": scenario(
        [ask("one", "ben"), PAY], "start", "ben add_signer before cleo > one: cleo", "cleo approve > one: ben",
        "ben approve > pay: dan"),
    "a signer before rejects": scenario(
        [ask("one", "ben")], "start", "ben add_signer before cleo", "cleo reject > rejected"),
    "a signer before rejects where rejections only count: the holder has the say": scenario(
        [ask("one", "ben", reject="counts")], "start", "ben add_signer before cleo", "cleo reject > one: ben",
        "ben approve > approved"),
    "two signers before: both": scenario(
        [ask("one", "ben")], "start", "ben add_signer before cleo dan > one: cleo dan", "dan approve > one: cleo",
        "cleo approve > one: ben"),
    "a signer before a signer before": scenario(
        [ask("one", "ben")], "start", "ben add_signer before cleo", "cleo add_signer before dan > one: dan",
        "dan approve > one: cleo", "cleo approve > one: ben", "ben approve > approved"),
    "a signer after: asked when the holder has agreed": scenario(
        [ask("one", "ben"), PAY], "start", "ben add_signer after cleo > one: ben", "ben approve > one: cleo",
        "cleo approve > pay: dan"),
    "a signer after rejects": scenario(
        [ask("one", "ben")], "start", "ben add_signer after cleo", "ben approve > one: cleo", "cleo reject > rejected"),
    "a signer after in an order is asked before the next place": scenario(
        [ask("line", "ben", "dan", quorum="in_order")], "start", "ben add_signer after cleo", "ben approve > line: cleo",
        "cleo approve > line: dan", "dan approve > approved"),
    "a signer in parallel is one more voice": scenario(
        [ask("both", "ben", "cleo", quorum="all")], "start", "ben add_signer parallel dan > both: ben cleo dan", "ben approve",
        "cleo approve > both: dan", "dan approve > approved"),
    "a signer in parallel raises what a percentage needs": scenario(
        [ask("vote", "ben", "cleo", quorum={"percent": 60}, reject="counts")], "start", "ben add_signer parallel dan eve fay",
        "ben approve", "cleo approve > vote: dan eve fay", "dan approve > approved"),
    "there is no beside in an order": scenario(
        [ask("line", "ben", "cleo", quorum="in_order")], "start", "ben add_signer parallel dan > ! where they are added"),
    "signers may be limited to one side": scenario(
        [ask("one", "ben", add_signers=["after"])], "start", "ben add_signer before dan > ! where they are added"),
    "what is switched off is not there": scenario(
        [ask("one", "ben", actions=["approve"])], "start", "ben delegate dan > ! does not offer", "ben transfer dan > ! does not offer",
        "ben add_signer before dan > ! does not offer", "ben reject > ! does not offer", "ben approve > approved"),
    "a comment is required": scenario(
        [ask("one", "ben", comment=["reject", "delegate"])], "start", "ben reject > ! Add a comment",
        "ben delegate cleo > ! Add a comment", "ben reject comment=no_money > rejected"),
    "a signature is required": scenario(
        [ask("one", "ben", sign=["approve"])], "start", "ben approve > ! sign", "ben approve signature=f1 > approved"),
    "no files may be attached": scenario(
        [ask("one", "ben", attach=False)], "start", "ben approve files=f1 > ! No files", "ben approve > approved"),
    "a remark decides nothing": scenario(
        [ask("one", "ben")], "start", "ben comment comment=wait > one: ben; log commented"),
    "a copy decides nothing": scenario(
        [ask("one", "ben")], "start", "ben copy eve > one: ben; remind eve; log copied"),
    "withdraw until the first decision": scenario(
        LINE, "start", "amy withdraw > withdrawn"),
    "withdraw after the first decision is too late": scenario(
        LINE, "start", "ben approve", "amy withdraw > ! no longer be withdrawn"),
    "withdraw until the end": scenario(
        LINE, "start", "ben approve", "cleo approve > three: dan", "amy withdraw > withdrawn", flow={"withdraw": "until_end"}),
    "withdraw never": scenario(LINE, "start", "amy withdraw > ! no longer be withdrawn", flow={"withdraw": "never"}),
    "nobody else withdraws": scenario(LINE, "start", "ben withdraw > ! Only the person who started"),
    "taking back one's own approval": scenario(
        LINE, "start", "ben approve > two: cleo", "ben take_back > one: ben", "cleo approve > ! no such task",
        "ben approve > two: cleo"),
    "taking back is too late when the next one has decided": scenario(
        LINE, "start", "ben approve", "cleo approve > three: dan", "ben take_back > ! no longer be taken back"),
    "taking back within a countersign": scenario(
        [ask("both", "ben", "cleo", quorum="all")], "start", "ben approve > both: cleo", "ben take_back > both: cleo ben"),
    "taking back the last voice of a countersign keeps the first": scenario(
        [ask("both", "ben", "cleo", quorum="all"), PAY], "start", "ben approve", "cleo approve > pay: dan",
        "cleo take_back > both: cleo", "cleo approve > pay: dan"),
    "taking back an or-sign asks the others again": scenario(
        [ask("either", "ben", "cleo"), PAY], "start", "ben approve > pay: dan", "ben take_back > either: cleo ben",
        "cleo approve > pay: dan"),
    "taking back in order: the next one's turn is over again": scenario(
        [ask("line", "ben", "cleo", quorum="in_order")], "start", "ben approve > line: cleo", "ben take_back > line: ben",
        "ben approve > line: cleo"),
    "taking back is too late when a machine has acted": scenario(
        [ask("one", "ben"), update("book"), PAY], "start", "ben approve > pay: dan", "ben take_back > ! no longer be taken back"),
    "taking back may be switched off": scenario(
        LINE, "start", "ben approve", "ben take_back > ! no longer be taken back", flow={"take_back": False}),
    "urge: those who hold tasks are reminded, but not at once again": scenario(
        [ask("both", "ben", "cleo", quorum="all")], "start", "amy urge > remind ben cleo", "amy urge > ! a moment ago",
        "ben approve", "after 1 hour", "amy urge > remind cleo"),
    "urge: not everybody may": scenario([ask("one", "ben")], "start", "eve urge > ! Only the person who started"),
    "a rejected run cannot be approved": scenario(
        [ask("one", "ben")], "start", "ben reject > rejected", "ben approve > ! no such task"),
}  # fmt: skip

AWAY: dict[str, dict[str, Any]] = {
    "away: the stand-in has the task": scenario(
        [ask("one", "ben")], "start > one: eve", "eve approve > approved", members={"ben": {"away": "eve"}}),
    "away for a time: before and after it the task is theirs": scenario(
        [ask("one", "ben"), ask("two", "ben"), ask("three", "ben")], "start > one: ben", "after 2 days", "ben approve > two: eve",
        "after 6 days", "eve approve > three: ben",
        members={"ben": {"away": {"to": "eve", "from": "2026-03-03", "until": "2026-03-08"}}}),
    "away: a stand-in's stand-in, without going in circles": scenario(
        [ask("one", "ben")], "start > one: cleo", members={"ben": {"away": "eve"}, "eve": {"away": "cleo"}, "cleo": {"away": "ben"}}),
    "away: one who is asked too is asked once": scenario(
        [ask("both", "ben", "eve", quorum="all")], "start > both: eve", "eve approve > approved", members={"ben": {"away": "eve"}}),
    "away: the starter does not stand in where they may not decide": scenario(
        [ask("one", "ben", if_self="skip")], "start > one: ben", members={"ben": {"away": "amy"}}),
    "away: whoever left does not stand in": scenario(
        [ask("one", "ben")], "start > one: ben", members={"ben": {"away": "eve"}, "eve": {"left": True}}),
    "away: asked when one's turn comes": scenario(
        [ask("line", "ben", "cleo", quorum="in_order")], "start > line: ben", "after 2 days", "ben approve > line: eve",
        members={"cleo": {"away": {"to": "eve", "from": "2026-03-03", "until": "2026-03-08"}}}),
}  # fmt: skip

ADMIN: dict[str, dict[str, Any]] = {
    "an administrator changes the assignee, allowed or not": scenario(
        [ask("one", "ben", actions=["approve"])], "start", "admin assign eve people=ben > one: eve", "eve approve > approved"),
    "an administrator ends it": scenario(LINE, "start", "admin end > ended", "admin end > ! over already"),
    "reactivated at a step": scenario(
        LINE, "start", "ben reject > rejected", "admin reactivate two > two: cleo; running", "cleo approve > three: dan",
        "dan approve > approved"),
    "reactivated at a step inside a branch": scenario(
        [choose("size", when("large", "total > 5", ask("cfo", "ben"))), PAY], "start > cfo: ben", "ben reject > rejected",
        "admin reactivate cfo > cfo: ben", "ben approve > pay: dan", values={"total": 9}),
    "reactivated while running: what went on is over": scenario(
        LINE, "start", "ben approve > two: cleo", "admin reactivate one > one: ben", "cleo approve > ! no such task"),
    "reactivated where there is no such step": scenario(LINE, "start", "admin end", "admin reactivate none > ! step to go on at"),
}  # fmt: skip

BRANCHES: dict[str, dict[str, Any]] = {
    "choose: the first that holds": scenario(
        [choose("size", when("large", "total > 10", ask("cfo", "ben")), when("middle", "total > 5", ask("head", "cleo")),
                when("else", None))], "start > cfo: ben", values={"total": 20}),
    "choose: the second holds": scenario(
        [choose("size", when("large", "total > 10", ask("cfo", "ben")), when("middle", "total > 5", ask("head", "cleo")),
                when("else", None))], "start > head: cleo", values={"total": 7}),
    "choose: otherwise": scenario(
        [choose("size", when("large", "total > 10", ask("cfo", "ben")), when("else", None, ask("clerk", "eve")))],
        "start > clerk: eve", values={"total": 1}),
    "choose: none holds and there is no otherwise": scenario(
        [choose("size", when("large", "total > 10", ask("cfo", "ben"))), PAY], "start > pay: dan", values={"total": 1}),
    "choose every: all that hold, joined again": scenario(
        [choose("both", when("a", "x", ask("one", "ben")), when("b", "y", ask("two", "cleo")), when("c", None, ask("no", "eve")),
                mode="every"), PAY], "start > one: ben, two: cleo", "ben approve > two: cleo", "cleo approve > pay: dan",
        values={"x": True, "y": True}),
    "choose every: only the default holds": scenario(
        [choose("both", when("a", "x", ask("one", "ben")), when("c", None, ask("other", "eve")), mode="every")],
        "start > other: eve", "eve approve > approved", values={"x": False}),
    "choose: decided by what was filled in on the way": scenario(
        [fill("enter", "ben"), choose("size", when("large", "total > 10", ask("cfo", "cleo")), when("else", None)), PAY],
        "start", "set total=50", "ben submit > cfo: cleo", values={"total": 1}),
    "parallel: all": scenario(
        [parallel("fork", [ask("one", "ben")], [ask("two", "cleo")]), PAY], "start > one: ben, two: cleo", "ben approve > two: cleo",
        "cleo approve > pay: dan"),
    "parallel: the first cancels the rest": scenario(
        [parallel("fork", [ask("one", "ben")], [ask("two", "cleo")], join="first"), PAY], "start", "cleo approve > pay: dan",
        "ben approve > ! no such task"),
    "parallel: two of three": scenario(
        [parallel("fork", [ask("one", "ben")], [ask("two", "cleo")], [ask("three", "eve")], join={"count": 2}), PAY], "start",
        "ben approve > two: cleo, three: eve", "eve approve > pay: dan"),
    "parallel: a rejection in one branch ends it all": scenario(
        [parallel("fork", [ask("one", "ben")], [ask("two", "cleo")])], "start", "ben reject > rejected"),
    "parallel: a vote in one branch closes nothing in the other": scenario(
        [parallel("fork", [ask("one", "ben", "dan")], [ask("two", "cleo", "eve", quorum="all")])], "start",
        "ben approve > two: cleo eve", "cleo approve > two: eve", "eve approve > approved"),
    "parallel: a return out of it cancels the sibling": scenario(
        [ask("first", "eve"), parallel("fork", [ask("one", "ben", return_to=["first"])], [ask("two", "cleo")])], "start",
        "eve approve > one: ben, two: cleo", "ben return first > first: eve", "cleo approve > ! no such task",
        "eve approve > one: ben, two: cleo"),
    "parallel: a return inside a branch leaves the sibling": scenario(
        [parallel("fork", [ask("one", "ben"), ask("next", "dan", return_to=["one"])], [ask("two", "cleo")])], "start",
        "ben approve > two: cleo, next: dan", "dan return one > two: cleo, one: ben"),
    "parallel in parallel": scenario(
        [parallel("fork", [parallel("inner", [ask("one", "ben")], [ask("two", "cleo")])], [ask("three", "dan")]), PAY], "start",
        "ben approve", "dan approve > two: cleo", "cleo approve > pay: dan"),
    "an end inside a branch ends everything": scenario(
        [parallel("fork", [ask("one", "ben"), {"id": "over", "type": "end", "outcome": "rejected"}], [ask("two", "cleo")])], "start",
        "ben approve > rejected"),
    "automatic approval: nobody is asked": scenario([{"id": "ok", "type": "end", "outcome": "approved"}], "start > approved"),
    "automatic rejection: nobody is asked": scenario([{"id": "no", "type": "end", "outcome": "rejected"}], "start > rejected"),
    "a machine step is waited for": scenario(
        [update("book"), PAY], "start > waits book=machine; -", "system performed > pay: dan", machines="wait"),
    "a machine step fails and is tried again": scenario(
        [update("book"), PAY], "start", "system failed > failed; waits book=problem", "admin retry > waits book=machine",
        "system performed > pay: dan", machines="wait"),
    "a machine step fails and is passed by": scenario(
        [update("book"), PAY], "start", "system failed > failed", "admin skip > pay: dan", machines="wait"),
    "a machine step that was done twice is done once": scenario(
        [update("book"), PAY], "start", "system performed > pay: dan", "system performed > pay: dan", machines="wait"),
}  # fmt: skip

SUBFLOWS: dict[str, dict[str, Any]] = {
    "subflow: waited for": scenario(
        [SUB, PAY], "start > waits sub=subflow; log spawned", "system subflow_ended > pay: dan"),
    "subflow: not waited for": scenario([{**SUB, "wait": False}, PAY], "start > pay: dan; log spawned"),
    "subflow: one for each row, all waited for": scenario(
        [{**SUB, "of": "rows"}, PAY], "start > log spawned spawned spawned", "system subflow_ended item=2 > waits sub=subflow",
        "system subflow_ended item=2 > waits sub=subflow", "system subflow_ended item=0", "system subflow_ended item=1 > pay: dan",
        values={"rows": ["a", "b", "c"]}),
    "subflow: no rows, nothing to wait for": scenario([{**SUB, "of": "rows"}, PAY], "start > pay: dan", values={"rows": []}),
    "subflow: rejected there, and the flow goes on": scenario(
        [SUB, PAY], "start", "system subflow_ended outcome=rejected > pay: dan"),
    "subflow: rejected there is rejected here": scenario(
        [{**SUB, "if_rejected": "reject"}, PAY], "start", "system subflow_ended outcome=rejected > rejected"),
    "subflow: an end that comes late says nothing": scenario(
        [parallel("fork", [SUB], [ask("one", "ben")], join="first"), PAY], "start > one: ben", "ben approve > pay: dan",
        "system subflow_ended > pay: dan"),
}  # fmt: skip

TIME: dict[str, dict[str, Any]] = {
    "time: a reminder when it is due": scenario(
        [ask("one", "ben", **due("4 hours", "remind"))], "start", "after 3 hours > remind", "after 1 hour > remind ben; one: ben"),
    "time: a reminder before it is due, and one after": scenario(
        [ask("one", "ben", **due("1 day", {"do": "remind", "before": "2 hours"}, {"do": "remind", "after": "1 hour"}))],
        "start", "after 22 hours > remind ben", "after 2 hours > remind", "after 1 hour > remind ben"),
    "time: a reminder that is repeated, three times": scenario(
        [ask("one", "ben", **due("1 hour", {"do": "remind", "every": "1 hour", "times": 3}))], "start", "after 1 hour > remind ben",
        "after 1 hour > remind ben", "after 1 hour > remind ben", "after 5 hours > remind"),
    "time: reminded no more once it is done": scenario(
        [ask("one", "ben", **due("4 hours", "remind")), PAY], "start", "ben approve > pay: dan", "after 9 hours > remind; pay: dan"),
    "time: approved of itself": scenario(
        [ask("one", "ben", **due("4 hours", "approve")), PAY], "start", "after 5 hours > pay: dan"),
    "change: waited for": scenario(
        [{"id": "w", "type": "wait", "span": None, "holds": "amount > 5"}, PAY], "start > waits w=change", "set amount=3 > waits w=change",
        "set amount=6 > pay: dan", values={"amount": 1}),
    "change: there already": scenario([{"id": "w", "type": "wait", "holds": "amount > 5"}, PAY], "start > pay: dan", values={"amount": 9}),
    "change: at most so long, and then it is known that it did not come": scenario(
        [{"id": "w", "type": "wait", "holds": "amount > 5", "span": "3 hours"}, {"id": "way", "type": "choose", "branches": [
            {"id": "came", "when": "w", "steps": [PAY]}, {"id": "over", "steps": [ask("late", "ben")]}]}],
        "start > waits w=change", "after 2 hours > waits w=change", "after 2 hours > late: ben", values={"amount": 1}),
    "change: what comes from elsewhere is looked for once an hour": scenario(
        [{"id": "w", "type": "wait", "holds": "NOW() > limit"}, PAY], "start > waits w=change",
        "after 70 minutes > waits w=change", "after 1 hour > pay: dan",
        values={"limit": {"datetime": "2026-03-02T10:30Z"}}),
    "change: one branch waits for what the other writes": scenario(
        [{"id": "both", "type": "parallel", "branches": [
            {"id": "a", "steps": [{"id": "w", "type": "wait", "holds": "amount = 7"}, ask("one", "ben")]},
            {"id": "b", "steps": [ask("two", "cleo"), {"id": "set", "type": "update", "set": {"amount": "7"}}]}]}],
        "start > two: cleo; waits w=change", "cleo approve > one: ben", values={"amount": 1}),
    "time: sent of itself": scenario([fill("one", "ben", **due("4 hours", "approve")), PAY], "start", "after 5 hours > pay: dan"),
    "time: rejected of itself": scenario([ask("one", "ben", **due("4 hours", "reject"))], "start", "after 5 hours > rejected"),
    "time: returned of itself to the start": scenario(
        [ask("one", "ben", **due("4 hours", "return"))], "start", "after 5 hours > start: amy", "amy submit > one: ben"),
    "time: returned of itself to a step": scenario(
        [ask("one", "ben"), ask("two", "cleo", **due("4 hours", {"do": "return", "back_to": "one"}))], "start", "ben approve",
        "after 5 hours > one: ben"),
    "time: escalated to the head of the holder": scenario(
        [ask("one", "ben", **due("4 hours", {"escalate": {"head_of": "assignee"}}))], "start", "after 4 hours > one: cleo; remind ben",
        "cleo approve > approved"),
    "time: first reminded, then escalated, then approved": scenario(
        [ask("one", "ben", **due("1 day", "remind", {"do": "escalate", "after": "1 day", "to": {"role": "eve"}},
                                 {"do": "approve", "after": "2 days"}))],
        "start", "after 1 day > remind ben", "after 1 day > one: eve", "after 1 day > approved"),
    "time: nobody to escalate to, so the holder is reminded": scenario(
        [ask("one", "dan", **due("4 hours", {"escalate": {"head_of": "assignee"}}))], "start", "after 4 hours > one: dan; remind dan"),
    "time: others are reminded too": scenario(
        [ask("one", "ben", **due("4 hours", {"do": "remind", "to": ["starter"]}))], "start", "after 4 hours > remind ben amy"),
    "time: one task of a countersign runs out, the other stays": scenario(
        [ask("both", "ben", quorum="all", **due("4 hours", "approve")), PAY], "start", "after 2 hours",
        "ben add_signer parallel cleo > both: ben cleo", "after 2 hours > both: cleo", "after 2 hours > pay: dan"),
    "time: in order, each has the whole time": scenario(
        [ask("line", "ben", "cleo", quorum="in_order", **due("4 hours", "approve"))], "start", "after 3 hours", "ben approve > line: cleo",
        "after 3 hours > line: cleo", "after 1 hour > approved"),
    "time: a new round has a new deadline, the old timer does nothing": scenario(
        [ask("one", "ben", **due("4 hours", "approve"))], "start", "after 3 hours", "ben return > start: amy", "amy submit > one: ben",
        "after 2 hours > one: ben", "after 2 hours > approved"),
    "time: working days": scenario(
        [ask("one", "ben", **due("2 workdays", "approve"))], "start", "at 2026-03-09T15:59 > one: ben", "at 2026-03-10T16:01 > approved",
        now="2026-03-06T16:00"),
    "time: working days with holidays and working weekends": scenario(
        [ask("one", "ben", **due("2 workdays", "approve"))], "start", "at 2026-03-09T15:59 > one: ben", "at 2026-03-10T15:59 > one: ben",
        "at 2026-03-10T16:01 > approved", now="2026-03-06T16:00", calendar={"holidays": ["2026-03-09"], "workdays": ["2026-03-07"]}),
    "time: China's calendar over the National Day": scenario(
        [ask("one", "ben", **due("1 workday", "approve"))], "start", "at 2025-10-08T23:00 > one: ben", "at 2025-10-09T16:01 > approved",
        now="2025-09-30T16:00", zone="Asia/Shanghai", calendar="CN"),
    "time: a day is a day when the clocks change": scenario(
        [ask("one", "ben", **due("1 day", "approve"))], "start", "at 2026-03-29T11:59 > one: ben", "at 2026-03-29T12:01 > approved",
        now="2026-03-28T12:00", zone="Europe/Berlin"),
    "time: by a date of the record, at the end of that day": scenario(
        [ask("one", "ben", due={"by": "needed_on", "then": ["approve"]})], "start", "at 2026-03-04T23:59 > one: ben",
        "at 2026-03-05T00:01 > approved", values={"needed_on": {"date": "2026-03-04"}}),
    "time: by a date that is put off": scenario(
        [ask("one", "ben", due={"by": "needed_on", "then": ["approve"]})], "start", "set needed_on=2026-03-06T12:00Z",
        "at 2026-03-05T12:00 > one: ben", "at 2026-03-06T12:01 > approved", values={"needed_on": {"datetime": "2026-03-04T12:00"}}),
    "time: by a date that is blank: no limit": scenario(
        [ask("one", "ben", due={"by": "needed_on", "then": ["approve"]})], "start", "after 900 days > one: ben",
        values={"needed_on": None}),
    "time: a clock that jumps reminds once": scenario(
        [ask("one", "ben", **due("1 hour", {"do": "remind", "every": "1 hour", "times": 50}))], "start", "jump 2 days > remind ben",
        "after 1 hour > remind ben"),
    "time: a clock that jumps does each thing in turn": scenario(
        [ask("one", "ben", **due("1 hour", "remind", {"do": "escalate", "after": "1 hour", "to": {"role": "eve"}}))], "start",
        "jump 3 days > one: eve"),
    "time: a delegated task that runs out goes back": scenario(
        [ask("one", "ben", **due("4 hours", "approve"))], "start", "ben delegate cleo > one: cleo", "after 5 hours > one: ben",
        "after 4 hours > approved"),
}  # fmt: skip

ALL = {**QUORUMS, **WHO, **NOBODY, **ACTIONS, **AWAY, **ADMIN, **BRANCHES, **SUBFLOWS, **TIME}


@pytest.mark.parametrize("name", ALL)
def test_scenario(name: str) -> None:
    play = Rehearsal(ALL[name])
    for step in play.play():
        assert not step.unexpected, f"{step.said}: {'; '.join(step.unexpected)}"
        check(play.state, play.log)
        assert replay(play.log) == play.state
        assert State.from_json(play.state.to_json()) == play.state


def test_there_are_many() -> None:
    assert len(ALL) >= 80
