"""Approvals as people know them. Amy starts; Ben, Cleo and Dan are asked."""

import pytest

from schemas.engine import Decided, Performed, Tell
from schemas.engine.timeline import timeline
from schemas.errors import Denied, InvalidInput
from tests.schemas.flow.play import Play, approve, flow_of

PAY = {"id": "pay", "type": "handle", "who": {"role": "dan"}}


def set_status(id: str) -> dict:
    return {"id": id, "type": "update", "set": {"status": f'"{id}"'}}


# -- countersign, or-sign, in order, shares --------------------------------------------------------


def test_countersign_waits_for_everyone():
    play = Play(flow_of(approve("both", "ben", "cleo", quorum="all"), PAY))
    assert play.asked == {"both": ["ben", "cleo"]}
    play.approve("ben")
    assert play.asked == {"both": ["cleo"]}
    play.approve("cleo")
    assert play.asked == {"pay": ["dan"]}
    play.submit("dan")
    assert play.state.state == "approved"


def test_or_sign_needs_one_and_closes_the_rest():
    play = Play(flow_of(approve("either", "ben", "cleo"))).approve("cleo")
    assert play.state.state == "approved"
    with pytest.raises(Denied, match="no longer open"):
        play.happen(Decided(next(t.id for t in play.state.tasks.values() if t.member == "ben"), "ben", "approve"))


def test_one_rejection_of_an_or_sign_sends_it_back_and_it_can_come_again():
    play = Play(flow_of(approve("either", "ben", "cleo"), on_reject="start")).reject("ben")
    assert play.asked == {"start": ["amy"]}
    play.submit("amy")
    assert play.asked == {"either": ["ben", "cleo"]}
    assert play.approve("cleo").state.state == "approved"


def test_in_order_asks_one_after_the_other():
    play = Play(flow_of(approve("line", "ben", "cleo", "dan", quorum="in_order")))
    assert play.asked == {"line": ["ben"]}
    assert play.approve("ben").asked == {"line": ["cleo"]}
    assert play.approve("cleo").asked == {"line": ["dan"]}
    assert play.approve("dan").state.state == "approved"


def test_a_rejection_in_order_ends_it_at_once():
    play = Play(flow_of(approve("line", "ben", "cleo", quorum="in_order"))).reject("ben")
    assert play.state.state == "rejected"


@pytest.mark.parametrize(
    ("quorum", "votes", "states"),
    [
        ({"percent": 60}, "++", ["running", "approved"]),
        ({"percent": 60}, "+-", ["running", "rejected"]),
        ({"percent": 60}, "-", ["rejected"]),
        ("any", "+", ["approved"]),
        ("any", "-+", ["running", "approved"]),
        ("any", "--", ["running", "rejected"]),
        ({"count": 1}, "+", ["approved"]),
        ("all", "-", ["rejected"]),
    ],
)
def test_votes_of_two_that_count(quorum, votes, states):
    play = Play(flow_of(approve("vote", "ben", "cleo", quorum=quorum, reject="counts")))
    seen = []
    for member, vote in zip(("ben", "cleo"), votes, strict=False):
        play.do(member, "approve" if vote == "+" else "reject")
        seen.append(play.state.state)
    assert seen == states


@pytest.mark.parametrize(("percent", "of", "needed"), [(60, 5, 3), (50, 3, 2), (1, 5, 1), (100, 4, 4), (34, 3, 2)])
def test_a_percentage_is_rounded_up(percent, of, needed):
    people = [f"p{n}" for n in range(of)]
    play = Play(flow_of(approve("panel", *people, quorum={"percent": percent}, reject="counts")))
    for n, person in enumerate(people[:needed], 1):
        play.approve(person)
        assert (play.state.state == "approved") == (n == needed)


# -- transfer --------------------------------------------------------------------------------------


def test_transfer_inside_a_countersign_moves_the_place():
    play = Play(flow_of(approve("both", "ben", "cleo", quorum="all"))).transfer("ben", "dan")
    assert play.asked == {"both": ["dan", "cleo"]}
    play.approve("dan")
    assert play.approve("cleo").state.state == "approved"


def test_a_task_may_be_transferred_again():
    play = Play(flow_of(approve("one", "ben"))).transfer("ben", "cleo").transfer("cleo", "dan")
    assert play.asked == {"one": ["dan"]}


def test_nobody_is_asked_twice_by_a_transfer():
    play = Play(flow_of(approve("both", "ben", "cleo", quorum="all")))
    with pytest.raises(InvalidInput, match="asked already"):
        play.transfer("ben", "cleo")
    with pytest.raises(InvalidInput, match="another member"):
        play.transfer("ben", "ben")


def test_only_the_holder_or_an_administrator_transfers():
    play = Play(flow_of(approve("one", "ben", actions=["approve"])))
    with pytest.raises(Denied, match="does not offer"):
        play.transfer("ben", "cleo")
    assert play.transfer("ben", "cleo", by_admin=True).asked == {"one": ["cleo"]}


# -- branches --------------------------------------------------------------------------------------


def choose(*branches: dict, **options) -> dict:
    return {"id": "size", "type": "choose", "branches": list(branches), **options}


def test_the_first_branch_that_holds_is_taken():
    flow = flow_of(
        choose(
            {"id": "large", "when": "total > 10", "steps": [approve("cfo", "ben")]},
            {"id": "middle", "when": "total > 5", "steps": [approve("head", "cleo")]},
            {"id": "otherwise", "steps": []},
        )
    )
    assert Play(flow, true=("total > 10", "total > 5")).asked == {"cfo": ["ben"]}
    assert Play(flow, true=("total > 5",)).asked == {"head": ["cleo"]}
    assert Play(flow).state.state == "approved"


def test_every_branch_that_holds_and_the_default_only_alone():
    flow = flow_of(
        choose(
            {"id": "large", "when": "a", "steps": [approve("one", "ben")]},
            {"id": "risky", "when": "b", "steps": [approve("two", "cleo")]},
            {"id": "otherwise", "steps": [approve("three", "dan")]},
            mode="every",
        )
    )
    assert Play(flow, true=("a", "b")).asked == {"one": ["ben"], "two": ["cleo"]}
    play = Play(flow)
    assert play.asked == {"three": ["dan"]}
    assert play.approve("dan").state.state == "approved"


def test_no_branch_holds_and_none_is_the_default():
    assert (
        Play(flow_of(choose({"id": "large", "when": "a", "steps": [approve("one", "ben")]}))).state.state == "approved"
    )


def parallel(**options) -> dict:
    return {"id": "both", "type": "parallel", "branches": [
        {"id": "money", "steps": [approve("cfo", "ben"), approve("cfo_again", "ben")]},
        {"id": "law", "steps": [approve("lawyer", "cleo")]},
    ], **options}  # fmt: skip


def test_parallel_branches_join_when_all_are_done():
    play = Play(flow_of(parallel(), PAY))
    assert play.asked == {"cfo": ["ben"], "lawyer": ["cleo"]}
    assert play.approve("cleo").asked == {"cfo": ["ben"]}
    assert play.approve("ben", "ben").asked == {"pay": ["dan"]}


@pytest.mark.parametrize("join", ["first", {"count": 1}])
def test_the_first_branch_done_cancels_the_others(join):
    play = Play(flow_of(parallel(join=join), PAY)).approve("cleo")
    assert play.asked == {"pay": ["dan"]}


def test_a_rejection_in_one_branch_ends_everything():
    play = Play(flow_of(parallel(), PAY)).reject("cleo")
    assert (play.state.state, play.asked) == ("rejected", {})


@pytest.mark.parametrize("outcome", ["approved", "rejected", "ended"])
def test_an_end_inside_a_branch_is_the_end(outcome):
    branches = [{"id": "a", "steps": [{"id": "stop", "type": "end", "outcome": outcome}]},
                {"id": "b", "steps": [approve("lawyer", "cleo")]}]  # fmt: skip
    play = Play(flow_of({"id": "both", "type": "parallel", "branches": branches}))
    assert (play.state.state, play.asked) == (outcome, {})
    assert any(entry.get("step") == "stop" for entry in play.log)


# -- returning -------------------------------------------------------------------------------------


def test_returned_to_the_start_and_sent_again_is_a_new_round():
    play = Play(flow_of(approve("both", "ben", "cleo", quorum="all"))).approve("ben").send_back("cleo")
    assert play.asked == {"start": ["amy"]}
    play.submit("amy")
    assert play.asked == {"both": ["ben", "cleo"]}, "the vote of the first round does not count"
    assert play.approve("ben", "cleo").state.state == "approved"


def test_replay_asks_the_steps_between_again_and_back_does_not():
    def steps(after_return: str) -> list:
        last = approve("last", "dan", return_to=["first"], after_return=after_return)
        return [approve("first", "ben"), approve("second", "cleo"), last]

    replay = Play(flow_of(*steps("replay"))).approve("ben", "cleo").send_back("dan").approve("ben")
    assert replay.asked == {"second": ["cleo"]}
    back = Play(flow_of(*steps("back"))).approve("ben", "cleo").send_back("dan").approve("ben")
    assert back.asked == {"last": ["dan"]}
    assert back.approve("dan").state.state == "approved"


def test_sent_again_by_the_starter_comes_straight_back():
    second = approve("second", "cleo", after_return="back")
    play = Play(flow_of(approve("first", "ben"), second)).approve("ben").send_back("cleo").submit("amy")
    assert play.asked == {"second": ["cleo"]}


def test_return_out_of_a_parallel_block_cancels_the_other_branch():
    block = parallel()
    block["branches"][0]["steps"][0]["return_to"] = ["first"]
    play = Play(flow_of(approve("first", "dan"), block)).approve("dan").send_back("ben")
    assert play.asked == {"first": ["dan"]}
    assert play.approve("dan").asked == {"cfo": ["ben"], "lawyer": ["cleo"]}


def test_return_into_the_branch_that_was_taken():
    flow = flow_of(
        choose({"id": "large", "when": "a", "steps": [approve("in1", "ben"), approve("in2", "cleo")]}, {"id": "small"}),
        approve("after", "dan", return_to=["previous", "in1", "start"]),
    )
    play = Play(flow, true=("a",)).approve("ben", "cleo")
    assert play.targets("dan") == ("in2", "in1", "start")
    play.send_back("dan", "in1")
    assert play.asked == {"in1": ["ben"]}
    assert play.approve("ben").asked == {"in2": ["cleo"]}
    assert Play(flow).targets("dan") == ("start",), "the branch was not taken"


def test_a_step_that_is_not_offered_is_refused():
    play = Play(flow_of(approve("first", "ben"), approve("second", "cleo", return_to=["start"]))).approve("ben")
    with pytest.raises(InvalidInput, match="Choose the step"):
        play.send_back("cleo", "first")


# -- withdrawing, ending ---------------------------------------------------------------------------


def test_the_starter_withdraws_until_somebody_has_decided():
    flow = flow_of(approve("both", "ben", "cleo", quorum="all"))
    play = Play(flow).withdraw()
    assert (play.state.state, play.asked) == ("withdrawn", {})
    with pytest.raises(Denied, match="no longer"):
        Play(flow).approve("ben").withdraw()
    with pytest.raises(Denied, match="Only the person"):
        Play(flow).withdraw("ben")


@pytest.mark.parametrize(("policy", "may"), [("never", False), ("until_end", True)])
def test_other_policies_of_withdrawing(policy, may):
    play = Play(flow_of(approve("both", "ben", "cleo", quorum="all"), withdraw=policy)).approve("ben")
    if may:
        assert play.withdraw().state.state == "withdrawn"
    else:
        with pytest.raises(Denied):
            play.withdraw()


def test_an_administrator_ends_it_once():
    play = Play(flow_of(approve("one", "ben"))).end()
    assert play.state.state == "ended"
    with pytest.raises(Denied, match="over already"):
        play.end()


# -- policies --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("policy", "asked"), [("ask", {"boss": ["amy"]}), ("skip", {"pay": ["dan"]}), ("head", {"boss": ["ben"]})]
)
def test_the_starter_is_the_approver(policy, asked):
    flow = flow_of(approve("boss", "amy", if_self=policy), PAY)
    assert Play(flow, heads={"amy": "ben"}).asked == asked


def test_the_starter_among_several_is_left_out():
    assert Play(flow_of(approve("boss", "amy", "ben", if_self="skip", quorum="all"))).asked == {"boss": ["ben"]}


def test_a_starter_without_a_head_counts_as_nobody():
    flow = flow_of(approve("boss", "amy", if_self="head", if_nobody={"role": "cleo"}))
    assert Play(flow).asked == {"boss": ["cleo"]}


@pytest.mark.parametrize(
    ("policy", "asked"), [("skip", {"pay": ["dan"]}), ({"role": "cleo"}, {"boss": ["cleo"]}), ("stop", {})]
)
def test_there_is_nobody_to_ask(policy, asked):
    play = Play(flow_of(approve("boss", "ben", if_nobody=policy), PAY), gone=("ben",))
    assert play.asked == asked
    assert play.state.state == ("failed" if policy == "stop" else "running")


def test_somebody_in_charge_helps_on():
    flow = flow_of(approve("boss", "ben"), PAY)
    play = Play(flow, gone=("ben",))
    play.gone = ()
    assert play.help("retry").asked == {"boss": ["ben"]}
    assert Play(flow, gone=("ben",)).help("skip").asked == {"pay": ["dan"]}


def test_who_has_agreed_before_is_not_asked_again_unless_it_came_back():
    second = approve("second", "ben", "cleo", quorum="all", if_repeated="approve", return_to=["start"])
    play = Play(flow_of(approve("first", "ben"), second)).approve("ben")
    assert play.asked == {"second": ["cleo"]}
    play.send_back("cleo").submit("amy").approve("ben")
    assert play.asked == {"second": ["ben", "cleo"]}, "after a return everybody is asked"


def test_agreed_before_goes_through_in_order_too():
    second = approve("second", "cleo", "ben", quorum="in_order", if_repeated="approve")
    play = Play(flow_of(approve("first", "ben"), second)).approve("ben").approve("cleo")
    assert play.state.state == "approved"


def test_a_comment_is_required_where_the_step_says_so():
    play = Play(flow_of(approve("one", "ben", comment=["reject"])))
    with pytest.raises(InvalidInput, match="comment"):
        play.do("ben", "reject", comment="  ")
    assert play.do("ben", "reject", comment="Too dear").state.state == "rejected"


def test_an_action_that_is_not_offered_is_refused():
    play = Play(flow_of(approve("one", "ben", actions=["approve"])))
    with pytest.raises(Denied, match="does not offer"):
        play.reject("ben")
    with pytest.raises(Denied, match="somebody else"):
        play.happen(Decided(play.task("ben").id, "cleo", "approve"))


# -- who is meant ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("who", "people"),
    [
        ({"role": "finance"}, ["ben", "cleo"]),
        ({"slot": "director"}, ["dan"]),
        ({"head_of": "starter"}, ["ben"]),
        ({"head_of": "starter", "level": 2}, ["cleo"]),
        ({"field": "owner"}, ["eve"]),
        ({"head_of": {"field": "owner"}}, ["fred"]),
        ("starter", ["amy"]),
        ([{"slot": "director"}, {"field": "owner"}, {"slot": "director"}], ["dan", "eve"]),
        ({"field": "team"}, ["gus", "hal"]),
    ],
)
def test_who_is_asked(who, people):
    play = Play(
        flow_of({"id": "one", "type": "approve", "who": who, "quorum": "all"}),
        roles={"finance": ("ben", "cleo"), "director": ("dan",)},
        heads={"amy": "ben", "ben": "cleo", "eve": "fred"}, values={"owner": "eve", "team": ["gus", "hal"]},
    )  # fmt: skip
    assert play.asked == {"one": people}


def test_the_previous_decider_and_their_head():
    flow = flow_of(
        approve("first", "ben"),
        {"id": "second", "type": "approve", "who": {"head_of": "previous"}},
        {"id": "third", "type": "handle", "who": "previous"},
    )
    play = Play(flow, heads={"ben": "cleo"}).approve("ben")
    assert play.asked == {"second": ["cleo"]}
    assert play.approve("cleo").asked == {"third": ["cleo"]}


# -- machine steps, copies, what comes after -------------------------------------------------------


def test_an_update_waits_until_it_is_done_and_a_late_answer_does_nothing():
    play = Play(flow_of(set_status("sent"), approve("one", "ben")))
    wanted = play.waiting()
    assert (wanted.step, play.asked) == ("sent", {})
    assert play.performed().asked == {"one": ["ben"]}
    before = play.state
    play.happen(Performed(wanted.token, wanted.round))
    assert play.state == before


def test_a_failed_update_stops_and_can_be_retried_or_skipped():
    play = Play(flow_of(set_status("sent"), approve("one", "ben"))).performed(ok=False)
    assert play.state.state == "failed"
    assert play.help("retry").state.state == "running"
    assert play.performed(ok=False).help("skip").asked == {"one": ["ben"]}


def test_copies_do_not_hold_the_flow_up():
    play = Play(flow_of({"id": "cc", "type": "notify", "to": ["starter", {"role": "cleo"}], "text": "{no} paid"}))
    assert play.state.state == "ended", "a flow without approvals is not approved"
    assert [effect.people for effect in play.effects if isinstance(effect, Tell)] == [("amy", "cleo")]


@pytest.mark.parametrize(
    ("event", "hook"),
    [("approve", "approved"), ("reject", "rejected"), ("withdraw", "withdrawn"), ("end", "ended")],
)
def test_what_comes_after_runs_before_the_state_is_final(event, hook):
    after = {name: [set_status(name)] for name in ("approved", "rejected", "withdrawn", "ended", "returned")}
    play = Play(flow_of(approve("one", "ben"), after=after))
    {"approve": lambda: play.approve("ben"), "reject": lambda: play.reject("ben")}.get(event, getattr(play, event))()
    assert (play.waiting().step, play.state.state, play.state.outcome) == (hook, "running", hook)
    with pytest.raises(Denied):
        play.withdraw()
    assert play.performed().state.state == hook


def test_a_return_to_the_starter_has_its_own_aftermath():
    play = Play(flow_of(approve("one", "ben"), after={"returned": [set_status("draft")]})).send_back("ben")
    assert (play.waiting().step, play.asked) == ("draft", {"start": ["amy"]})
    assert play.performed().submit("amy").asked == {"one": ["ben"]}


def test_the_timeline_says_who_did_what_for_how_long():
    play = Play(flow_of(approve("one", "ben"), PAY)).do("ben", "approve", comment="Fine").submit("dan")
    lines = [(m.what, m.who, m.step, m.comment, m.took and m.took.seconds // 60) for m in timeline(play.log)]
    assert lines == [
        ("started", ("amy",), "", "", None),
        ("approve", ("ben",), "one", "Fine", 10),
        ("submit", ("dan",), "pay", "", 10),
        ("outcome", (), "", "", None),
    ]
