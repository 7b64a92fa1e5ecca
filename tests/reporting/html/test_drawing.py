from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from dcsomrl.reporting.html import RunPage
from tests.reporting.html.samples import explorer, run_page, table_explorer

pytest.importorskip("selenium", reason="selenium is not installed")
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.actions.wheel_input import ScrollOrigin
from selenium.webdriver.common.by import By

from tests.reporting.html.browser import Page

pytestmark = pytest.mark.slow


def test_the_theme_button_changes_page_and_map_but_not_the_figures(opened):
    page = opened()
    ground = lambda selector: page.driver.find_element(  # noqa: E731
        By.CSS_SELECTOR, selector
    ).value_of_css_property("background-color")
    button = page.driver.find_element(By.ID, "theme")
    seen = []
    for text in ("Dark theme", "Light theme"):
        assert button.text == text
        corner = tuple(page.pixels(".stage canvas")[0, 0].tolist())
        seen.append((ground("body"), corner))
        assert ground(".sheet") == "rgba(255, 255, 255, 1)"
        button.click()
    assert seen == [("rgba(255, 255, 255, 1)", (255,) * 3), ("rgba(21, 24, 29, 1)", (21, 24, 29))]
    assert button.text == "Dark theme"


def test_colours_follow_what_is_asked_for(opened):
    page = opened()
    page.click_node(0)
    assert page.node_colour(3) == (0xD6, 0x2F, 0x3F)
    assert [entry.text for entry in page.all(".legend > span")][:10] == [str(i) for i in range(10)]
    given = run_page().explorer
    page.choose("colour", "size")
    assert page.node_colour(int(given.wins.argmax())) == (0x0B, 0x2F, 0x66)
    assert page.find(".legend").text.split() == ["0", str(given.wins.max())]
    page.choose("colour", "activation")
    low, high = page.find(".legend").text.split()
    values = np.concatenate([given.activation, given.point_activation])
    assert (low, high) == (f"{values.min():.3f}", f"{values.max():.3f}")


def test_samples_edges_and_pictures_are_drawn_when_asked_for(opened):
    page = opened()
    page.choose("colour", "size")
    with_all = page.pixels(".stage canvas")
    page.find("[name=points]").click()
    without_points = page.pixels(".stage canvas")
    page.find("[name=edges]").click()
    without_edges = page.pixels(".stage canvas")
    ground = lambda image: (image == 255).all(axis=-1).sum()  # noqa: E731
    assert ground(with_all) < ground(without_points) < ground(without_edges)
    page.choose("look", "pictures")
    black = (page.pixels(".stage canvas") == 0).all(axis=-1).sum()
    assert black > 1000
    assert (without_edges == 0).all(axis=-1).sum() == 0


def test_nodes_lie_where_their_coordinates_say(opened):
    given, page = run_page().explorer, opened()
    places = np.array([[place["x"], -place["y"]] for place in page.positions()])
    assert [place["slot"] for place in page.positions()] == given.slots.tolist()
    wanted = given.node_xy - given.node_xy[0]
    found = places - places[0]
    scale = np.ptp(found[:, 0]) / np.ptp(wanted[:, 0])
    assert scale > 50
    np.testing.assert_allclose(found, scale * wanted, atol=0.1)


def spread(page: Page) -> float:
    return float(np.ptp([place["x"] for place in page.positions()]))


def test_the_map_zooms_and_moves(opened):
    page = opened()
    whole = page.positions()
    page.driver.execute_script("arguments[0].focus()", page.find(".stage canvas"))
    page.press("+")
    assert spread(page) == pytest.approx(1.4 * np.ptp([place["x"] for place in whole]))
    page.press("0")
    assert page.positions() == whole
    ActionChains(page.driver).drag_and_drop_by_offset(page.find(".stage canvas"), 40, 25).perform()
    moved = page.positions()
    assert moved[3]["x"] - whole[3]["x"] == pytest.approx(40)
    assert moved[3]["y"] - whole[3]["y"] == pytest.approx(25)
    page.find("[data-zoom=whole]").click()
    assert page.positions() == whole


def test_the_wheel_zooms_only_a_map_that_has_been_clicked(opened):
    page = opened()
    before = spread(page)
    origin = ScrollOrigin.from_element(page.find(".stage canvas"))
    ActionChains(page.driver).scroll_from_origin(origin, 0, -200).perform()
    assert spread(page) == pytest.approx(before)
    page.click_node(0)
    ActionChains(page.driver).scroll_from_origin(origin, 0, -200).perform()
    assert spread(page) > 1.2 * before


def test_a_node_chosen_elsewhere_is_brought_into_view(opened):
    page = opened()
    page.click_node(0)
    page.press("+", "+", "+", "+", "+")
    page.driver.execute_script("arguments[0].click()", page.all("tbody tr")[-1])
    place = next(place for place in page.positions() if place["slot"] == page.selected())
    box = page.driver.execute_script(
        "return arguments[0].getBoundingClientRect().toJSON()", page.find(".stage canvas")
    )
    assert box["left"] < place["x"] < box["right"]
    assert box["top"] < place["y"] < box["bottom"]


def bare(**changes: Any) -> RunPage:
    return run_page(explorer=explorer(**changes))


NO_EDGES = {"edges": np.zeros((0, 2), dtype=int), "strength": np.zeros(0)}
HOSTILE = '</script><img src=x onerror=alert(1)> "quoted" Grüße 漢字' + "long" * 40
CASES = {
    "one node": bare(nodes=1, points=20),
    "one node without samples": bare(nodes=1, points=0, **NO_EDGES),
    "no edges": bare(**NO_EDGES),
    "no labels": bare(class_names=None, point_class=None),
    "no labels of samples": bare(point_class=None),
    "no relevances": bare(relevances=None, relevance_names=[]),
    "nothing won": bare(
        wins=np.zeros(12, dtype=int),
        activation=np.full(12, np.nan),
        purity=np.full(12, np.nan),
        node_class=np.full(12, -1),
        point_node=np.full(300, -1),
        point_activation=np.full(300, np.nan),
        nearest_rows=np.full((12, 6), -1),
    ),
    "no samples near": replace(
        bare(),
        explorer=explorer(
            nearest=None,
            nearest_rows=np.zeros((12, 0), dtype=int),
            nearest_distance=np.zeros((12, 0)),
        ),
    ),
    "colour pictures": bare(channels=3, disturbed=None, levels=np.zeros(0)),
    "features alone": run_page(explorer=table_explorer(features=60, relevances=None)),
    "no explorer": run_page(explorer=None),
    "no pictures": run_page(pictures=[], notes=[], summary=[]),
    "hostile names": replace(bare(class_names=[HOSTILE] * 10), title=HOSTILE, notes=[HOSTILE]),
    "many classes": bare(
        nodes=30, class_names=[f"class {i}" for i in range(30)], node_class=np.arange(30)
    ),
}


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("width", [1280, 420])
def test_every_kind_of_run_gives_a_page_that_fits_the_window(opened, driver, name, width):
    driver.set_window_size(width, 1000)
    try:
        page = opened(CASES[name])
        widths = "return [document.documentElement.scrollWidth, window.innerWidth]"
        needed, there = driver.execute_script(widths)
        assert needed <= there
        given = CASES[name].explorer
        if given is None:
            return
        slot = given.slots[given.wins.argmax()]
        assert page.find(".panel h3").text == f"Node {slot}"
        assert len(page.all(".nodes tbody tr")) == len(given.slots)
        options = [option.get_attribute("value") for option in page.all("[name=colour] option")]
        assert ("class" in options) == (given.class_names is not None)
        for option in options:
            page.choose("colour", option)
        assert len(np.unique(page.pixels(".stage canvas").reshape(-1, 3), axis=0)) > 1
    finally:
        driver.set_window_size(1280, 1000)


def test_a_large_map_is_drawn_and_drawn_again(opened):
    page = opened(run_page(explorer=explorer(nodes=200, points=10_000, side=28, m=64)))
    whole = page.pixels(".stage canvas")
    page.find("[data-zoom=in]").click()
    closer = page.pixels(".stage canvas")
    assert (whole != closer).any(axis=-1).sum() > 1000
    page.click_node(0)
    page.choose("look", "pictures")
    assert page.selected() == 5
    assert len(page.all(".nodes tbody tr")) == 200
