"""The designer of the navigation answers with the tree and the options of the chosen line."""


def test_the_boss_makes_a_folder_and_sets_its_options(shop, sign_in):
    boss = sign_in(shop, "boss")
    assert boss.post("/build/shop/navigation/add", {"kind": "folder"}).status_code == 200
    place = boss.get("/build/shop/navigation/").text.count('class="nav-line') - 1
    page = boss.get(f"/build/shop/navigation/?line={place}").text
    assert "icon-grid" in page
    assert "tone-choice" in page
    sent = {"path": str(place), "color": "red", "devices": "phone"}
    assert boss.post("/build/shop/navigation/options", sent).status_code == 200
    assert "nav-tone tone-red" in boss.get("/build/shop/navigation/").text
    assert boss.post("/build/shop/navigation/move", {"key": "99", "to": "", "position": "0"}).status_code == 422
    assert boss.post("/build/shop/navigation/move", {"key": str(place), "to": "", "position": "0"}).status_code == 200
    assert boss.post("/build/shop/navigation/remove", {"line": "0"}).status_code == 200
    assert "nav-tone tone-red" not in boss.get("/build/shop/navigation/").text
