"""A page in a real browser. Imports selenium, which may be absent."""

import base64
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import Select, WebDriverWait

from dcsomrl.reporting.html import RunPage, build_page

PAINTED = "const done = arguments[0]; requestAnimationFrame(() => requestAnimationFrame(done));"


class Page:
    """A page in the browser, with the words of someone who uses it."""

    def __init__(self, driver: Any, runs: Sequence[RunPage], path: Path) -> None:
        path.write_text(build_page(runs, "A map"), encoding="utf-8")
        self.driver = driver
        driver.get(path.as_uri())
        explorers = sum(run.explorer is not None for run in runs)
        WebDriverWait(driver, 60).until(
            lambda driver: len(driver.find_elements(By.CSS_SELECTOR, "[data-ready]")) == explorers
        )
        self.painted()

    def painted(self) -> None:
        self.driver.execute_async_script(PAINTED)

    def find(self, selector: str, run: int = 0) -> Any:
        root = self.driver.find_elements(By.CSS_SELECTOR, ".explorer")[run]
        return root.find_element(By.CSS_SELECTOR, selector)

    def all(self, selector: str, run: int = 0) -> list[Any]:
        root = self.driver.find_elements(By.CSS_SELECTOR, ".explorer")[run]
        return root.find_elements(By.CSS_SELECTOR, selector)

    def positions(self, run: int = 0) -> list[dict]:
        """Slot and place in the window of each node, once the map is in view."""
        self.driver.execute_script("arguments[0].scrollIntoView()", self.find(".stage", run))
        self.painted()
        return self.driver.execute_script(
            "return window.dcsomrl.explorers[arguments[0]].map.positions()", run
        )

    def point_at(self, node: int, run: int = 0) -> ActionChains:
        place = self.positions(run)[node]
        actions = ActionChains(self.driver)
        actions.w3c_actions.pointer_action.move_to_location(round(place["x"]), round(place["y"]))
        return actions

    def click_node(self, node: int, run: int = 0) -> None:
        self.point_at(node, run).click().perform()
        self.painted()

    def press(self, *keys: str) -> None:
        ActionChains(self.driver).send_keys(*keys).perform()
        self.painted()

    def choose(self, name: str, value: str) -> None:
        Select(self.find(f"[name={name}]")).select_by_value(value)
        self.painted()

    def slide(self, steps: int, run: int = 0) -> None:
        self.find("[name=level]", run).send_keys(Keys.ARROW_RIGHT * steps)

    def selected(self, run: int = 0) -> int:
        root = self.driver.find_elements(By.CSS_SELECTOR, ".explorer")[run]
        return int(root.get_attribute("data-selected"))

    def pixels(self, selector: str, run: int = 0) -> np.ndarray:
        """Of a canvas: (height, width, red green blue)."""
        self.painted()
        canvas = self.find(selector, run)
        url = self.driver.execute_script("return arguments[0].toDataURL()", canvas)
        png = base64.b64decode(url.partition(",")[2])
        return np.asarray(Image.open(io.BytesIO(png)).convert("RGB"))

    def node_colour(self, node: int) -> tuple[int, ...]:
        place = self.positions()[node]
        box = self.find(".stage canvas").rect
        scrolled = self.driver.execute_script("return window.scrollY")
        x, y = round(place["x"] - box["x"]), round(place["y"] + scrolled - box["y"])
        return tuple(self.pixels(".stage canvas")[y, x].tolist())
