"""The questions that a page answers, in a real browser, on a laptop, a phone and paper."""

import numpy as np
import pytest

from dcsomrl.reporting.html import QUESTIONS, Cluster
from tests.reporting.html.samples import (
    FEATURES,
    answered_page,
    blobs,
    comparison,
    table_explorer,
)

pytest.importorskip("selenium", reason="selenium is not installed")
from selenium.webdriver.common.by import By

pytestmark = pytest.mark.slow

LAPTOP, PHONE = (1300, 800), (390, 844)
# Elements that reach beyond the screen, but for what scrolls within itself.
WIDE = """
return [...document.querySelectorAll("body *")].filter((one) => {
  const box = one.getBoundingClientRect();
  const beyond = box.right > document.documentElement.clientWidth + 1 || box.left < -1;
  return box.width && beyond && !one.closest(".scroll > *, .sheet > svg, .profile > *");
}).map((one) => one.outerHTML.slice(0, 100));
"""
# Parts of which paper would lack something.
CUT = """
return [...document.querySelectorAll(".scroll, .sheet")].filter(
  (one) => one.scrollWidth > one.clientWidth + 1 && getComputedStyle(one).overflowX !== "visible",
).map((one) => one.outerHTML.slice(0, 100));
"""


@pytest.fixture(params=[LAPTOP, PHONE], ids=["laptop", "phone"])
def screen(request, driver):
    resize(driver, *request.param)
    yield request.param
    driver.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def resize(driver, width, height):
    size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 500}
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)


def both_kinds():
    table = comparison(pictures=None, **FEATURES)
    return [answered_page(), answered_page(comparison=table, explorer=table_explorer())]


def text_of(page, selector):
    return page.driver.find_element(By.CSS_SELECTOR, selector).text


def click(page, selector):
    page.driver.find_element(By.CSS_SELECTOR, selector).click()
    page.painted()


@pytest.mark.parametrize("question", QUESTIONS)
def test_every_answer_is_one_click_from_the_first_screen(opened, screen, question):
    page = opened(answered_page())
    link = page.driver.find_element(By.CSS_SELECTOR, f'nav a[href="#{question}"]')
    assert link.rect["y"] + link.rect["height"] < screen[1]
    assert link.rect["height"] >= 17
    link.click()
    page.painted()
    heading = page.driver.find_element(By.CSS_SELECTOR, f"#{question} h2")
    assert heading.text == QUESTIONS[question]
    top = "return arguments[0].getBoundingClientRect().top"
    # On the screen, and so is the answer's beginning below it.
    assert 0 <= page.driver.execute_script(top, heading) < screen[1] / 2
    said = page.driver.find_element(By.CSS_SELECTOR, f"#{question} :is(.answer, .about, .choices)")
    assert 0 < page.driver.execute_script(top, said) < screen[1]
    click(page, f"#{question} .up")
    assert page.driver.execute_script("return window.scrollY") == 0


@pytest.mark.parametrize("kind", [0, 1], ids=["pictures", "table"])
def test_nothing_is_wider_than_the_screen(opened, screen, kind):
    page = opened(both_kinds()[kind])
    assert page.driver.execute_script("return document.documentElement.scrollWidth") <= screen[0]
    assert page.driver.execute_script(WIDE) == []


def test_paper_cuts_no_table(opened, driver):
    resize(driver, 560, 1000)
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    try:
        facts = dict.fromkeys(("samples", "share", "nodes", "clear", "outliers"), "12.3%")
        pictures = blobs(np.random.default_rng(0), 8, 8, 1)
        wide = Cluster(0, {**facts, "most frequent class": "a long name (97%)"}, pictures)
        page = opened(answered_page(clusters=[wide]))
        assert page.driver.execute_script(CUT) == []
        assert page.driver.execute_script(WIDE) == []
        assert not page.driver.find_element(By.CSS_SELECTOR, "nav").is_displayed()
    finally:
        driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": ""})
        driver.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def test_two_clusters_of_pictures_are_chosen_and_compared(opened):
    given = comparison()
    page = opened(answered_page())
    click(page, ".choices fieldset:nth-child(1) label:nth-of-type(3)")
    shown = page.driver.find_element(By.CSS_SELECTOR, ".comparison").get_attribute("data-shown")
    assert shown == "2,1"
    captions = page.driver.find_elements(By.CSS_SELECTOR, ".comparison figcaption")
    assert [one.text for one in captions] == [
        *("Mean of 2", "Mean of 1", "2 against 1", "Typical of 2", "Typical of 1"),
    ]
    canvases = page.driver.find_elements(By.CSS_SELECTOR, ".comparison canvas")
    drawn = [
        np.reshape(
            page.driver.execute_script(
                "const [one] = arguments; return [...one.getContext('2d')"
                ".getImageData(0, 0, one.width, one.height).data]",
                canvas,
            ),
            (8, 8, 4),
        )
        for canvas in canvases
    ]
    page.driver.get_log("browser")  # reading a canvas back warns of itself
    np.testing.assert_array_equal(drawn[0][..., 0], given.pictures[2, :, :, 0])
    np.testing.assert_array_equal(drawn[1][..., 0], given.pictures[1, :, :, 0])
    gap = given.pictures[2, :, :, 0].astype(float) - given.pictures[1, :, :, 0]
    rest = 255 * (1 - np.abs(gap) / np.abs(gap).max())
    np.testing.assert_allclose(drawn[2][..., 1], rest, atol=0.51)
    assert (drawn[2][gap > 0, 2] == 255).all()
    assert (drawn[2][gap < 0, 0] == 255).all()


def test_two_clusters_of_a_table_are_told_apart_by_the_features_that_differ_most(opened):
    page = opened(both_kinds()[1])
    rows = page.driver.find_elements(By.CSS_SELECTOR, ".comparison tbody tr")
    cells = [
        [cell.text for cell in row.find_elements(By.CSS_SELECTOR, "th, td")[:4]] for row in rows
    ]
    minus = "\N{MINUS SIGN}"
    assert cells == [
        ["height", f"{minus}2.0", "100", "300"],
        [FEATURES["names"][0], f"{minus}1.0", "1.00", "2.00"],
    ]
    assert f"cluster 0 has lower height ({minus}2.0)" in text_of(page, ".comparison .answer")
    near = "50 % of the 90 samples of 0 have their second nearest node in 1, 100 % of the 89"
    assert near in text_of(page, ".comparison .quiet")
    click(page, ".choices fieldset:nth-child(2) label:nth-of-type(3)")
    assert "cluster 0 has higher height (+2.0)" in text_of(page, ".comparison .answer")
    assert (
        text_of(page, ".comparison tbody tr:nth-child(2) td:nth-child(4)")
        == f"{minus}2.50e{minus}7"
    )
    click(page, ".choices fieldset:nth-child(2) label:nth-of-type(1)")
    assert text_of(page, ".comparison .result") == "Choose two different clusters."
