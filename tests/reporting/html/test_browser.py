import numpy as np
import pytest

from tests.reporting.html.samples import explorer, run_page, table_explorer

pytest.importorskip("selenium", reason="selenium is not installed")
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from tests.reporting.html.browser import Page

pytestmark = pytest.mark.slow


def column(page: Page, index: int) -> list[str]:
    rows = page.all(".nodes tbody tr")
    return [row.find_elements(By.CSS_SELECTOR, "th, td")[index].text for row in rows]


def lines(page: Page, part: str) -> list[str]:
    return [" ".join(row.text.split()) for row in page.all(f"{part} tbody tr")]


def test_a_click_on_a_node_shows_its_numbers_and_its_prototype(opened):
    given, page = run_page().explorer, opened()
    page.click_node(7)
    slot = given.slots[7]
    assert page.selected() == slot
    assert page.find(".panel h3").text == f"Node {slot}"
    assert page.find(".status").text.startswith(f"Node {slot}, {given.wins[7]} samples won")
    numbers = dict(
        zip(
            [name.text for name in page.all(".panel dt")],
            [value.text for value in page.all(".panel dd")],
            strict=True,
        )
    )
    assert numbers["Samples won"] == str(given.wins[7])
    assert numbers["Majority class"] == "7"
    assert numbers["Purity"] == f"{given.purity[7]:.3f}"
    assert numbers["Neighbours"] == str((given.edges == 7).sum())
    shown = page.pixels("[data-part=prototype] canvas")
    np.testing.assert_array_equal(shown, np.repeat(given.tiles[7], 3, axis=-1))
    nearest = page.pixels(".samples figure:nth-child(3) canvas")
    np.testing.assert_array_equal(nearest, np.repeat(given.nearest[7, 2], 3, axis=-1))


def test_hovering_tells_about_a_node_without_choosing_it(opened):
    given, page = run_page().explorer, opened()
    before = page.selected()
    page.point_at(4).perform()
    page.painted()
    np.testing.assert_array_equal(page.pixels(".tip canvas"), np.repeat(given.tiles[4], 3, axis=-1))
    picture, text = page.find(".tip canvas").rect, page.find(".tip span").rect
    assert picture["x"] + picture["width"] < text["x"]
    tip = page.find(".tip").text.split("\n")
    assert tip[0] == f"Node {given.slots[4]}"
    assert tip[1] == f"{given.wins[4]} samples won"
    assert tip[2] == f"mostly 4, purity {given.purity[4]:.2f}"
    assert page.selected() == before


@pytest.mark.parametrize(
    ("key", "axis", "sign"),
    [
        (Keys.ARROW_RIGHT, "x", 1),
        (Keys.ARROW_LEFT, "x", -1),
        (Keys.ARROW_DOWN, "y", 1),
        (Keys.ARROW_UP, "y", -1),
    ],
)
def test_arrow_keys_choose_the_next_node_in_their_direction(opened, key, axis, sign):
    page = opened()
    page.click_node(0)
    places = {place["slot"]: place for place in page.positions()}
    before = page.selected()
    page.press(key)
    after = page.selected()
    assert sign * (places[after][axis] - places[before][axis]) > 0
    assert page.find(".panel h3").text == f"Node {after}"
    gaps = {
        slot: np.hypot(place["x"] - places[before]["x"], place["y"] - places[before]["y"])
        for slot, place in places.items()
    }
    assert sorted(gaps, key=gaps.__getitem__).index(after) <= 5


def test_enter_says_again_which_node_is_chosen(opened):
    page = opened()
    assert page.find(".status").text == ""
    page.driver.execute_script("arguments[0].focus()", page.find(".stage canvas"))
    page.press(Keys.ENTER)
    assert page.find(".status").text.startswith(f"Node {page.selected()}, ")


def test_the_slider_swaps_the_disturbed_picture(opened):
    given, page = run_page().explorer, opened()
    page.click_node(3)
    for level in (0, 2):
        page.slide(level)
        shown = page.pixels("[data-part=disturbed] canvas")
        np.testing.assert_array_equal(shown, np.repeat(given.disturbed[level, 3], 3, axis=-1))
        low = (given.relevances[3] < given.levels[level]).sum()
        assert page.find("output").text == f"{given.levels[level]:.2f} ({low} of 8)"
        assert len(page.all(".bars .low")) == low
    undisturbed = page.pixels("[data-part=prototype] canvas")
    np.testing.assert_array_equal(undisturbed, np.repeat(given.tiles[3], 3, axis=-1))


def test_relevances_can_be_sorted(opened):
    given, page = run_page().explorer, opened()
    page.click_node(2)
    titles = lambda: [bar.get_attribute("title") for bar in page.all(".bars > span")]  # noqa: E731
    wanted = [f"z{i}: {value:.3f}" for i, value in enumerate(given.relevances[2])]
    assert titles() == wanted
    page.find("[name=ranked]").click()
    assert titles() == [wanted[i] for i in np.argsort(-given.relevances[2])]


def test_neighbours_are_buttons_that_choose_the_strongest_first(opened):
    given, page = run_page().explorer, opened()
    page.click_node(0)
    own = (given.edges == 0).any(axis=1)
    ends = given.edges[own].sum(axis=1)
    wanted = [given.slots[node] for node in ends[np.argsort(-given.strength[own], kind="stable")]]
    buttons = page.all(".buttons button")
    assert [int(button.text) for button in buttons] == wanted
    buttons[0].click()
    assert page.selected() == wanted[0]
    assert page.driver.switch_to.active_element.text == f"Node {wanted[0]}"


def test_the_table_sorts_and_its_rows_choose(opened):
    given, page = run_page().explorer, opened()
    assert column(page, 1) == [str(wins) for wins in np.sort(given.wins)[::-1]]
    purity = page.all("thead button")[3]
    assert purity.text == "Purity"
    purity.click()
    assert column(page, 3) == [f"{value:.3f}" for value in np.sort(given.purity)]
    assert purity.find_element(By.XPATH, "..").get_attribute("aria-sort") == "ascending"
    purity.click()
    assert column(page, 3) == [f"{value:.3f}" for value in np.sort(given.purity)[::-1]]
    page.all("tbody tr")[2].find_elements(By.CSS_SELECTOR, "td")[1].click()
    slots = given.slots[np.argsort(-given.purity)]
    assert page.selected() == slots[2]
    assert page.find(".panel h3").text == f"Node {slots[2]}"
    assert [row.text.split()[0] for row in page.all("tr[aria-current]")] == [str(slots[2])]
    page.find("tr[aria-current] button").send_keys(Keys.ARROW_DOWN)
    assert page.selected() == slots[3]


def test_nodes_without_a_value_come_last_either_way(opened):
    purity = np.where(np.arange(12) == 5, np.nan, np.linspace(0.5, 0.9, 12))
    page = opened(run_page(explorer=explorer(purity=purity)))
    for _ in range(2):
        page.all("thead button")[3].click()
        assert column(page, 3)[-1] == "\N{EN DASH}"


def test_two_maps_keep_their_own_state(opened):
    page = opened(run_page("first"), run_page("second", explorer=explorer(nodes=20)))
    page.click_node(3, run=0)
    page.click_node(8, run=1)
    page.slide(2, run=1)
    page.find("[name=points]", run=1).click()
    assert [page.selected(0), page.selected(1)] == [5 + 3 * 3, 5 + 3 * 8]
    assert [page.find("output", run).text.split()[0] for run in (0, 1)] == ["0.20", "0.60"]
    assert page.find("[name=points]", run=0).is_selected()
    assert page.find(".panel h3", run=0).text == "Node 14"


def test_tables_show_features_instead_of_pictures(opened):
    given = table_explorer()
    page = opened(run_page(explorer=given))
    page.click_node(6)
    values = [f"{value:.3f}" for value in np.abs(given.profiles[6])]
    minus = np.where(given.profiles[6] < 0, "\N{MINUS SIGN}", "")
    wanted = [f"feature {i} {minus[i]}{value}" for i, value in enumerate(values)]
    assert lines(page, ".profile") == wanted
    page.find("[name=ranked]").click()
    assert lines(page, ".profile") == [wanted[i] for i in np.argsort(-given.relevances[6])]
    nearest = zip(given.nearest_rows[6], given.nearest_distance[6], strict=True)
    assert lines(page, ".samples") == [f"{row} {distance:.3f}" for row, distance in nearest]
    headings = [button.text for button in page.all(".nodes thead button")]
    assert headings[-6:] == given.feature_names
    for hidden in ("[data-of=tiles]", ".slider", ".bars", ".prototypes"):
        assert not any(part.is_displayed() for part in page.all(hidden))
