import shutil
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from dcsomrl.reporting.html import RunPage
from tests.reporting.html.samples import run_page

FLAGS = (
    *("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
    *("--force-device-scale-factor=1", "--window-size=1280,1000"),
)


@pytest.fixture(scope="package")
def driver(tmp_path_factory) -> Iterator[Any]:
    webdriver = pytest.importorskip("selenium.webdriver", reason="selenium is not installed")
    chromium, chromedriver = shutil.which("chromium"), shutil.which("chromedriver")
    if chromium is None or chromedriver is None:
        pytest.skip(
            "chromium or chromedriver is not installed: apt-get install chromium chromium-driver"
        )
    options = webdriver.ChromeOptions()
    options.binary_location = chromium
    for flag in (*FLAGS, f"--user-data-dir={tmp_path_factory.mktemp('browser')}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(chromedriver))
    yield driver
    driver.quit()


@pytest.fixture
def opened(driver, tmp_path) -> Iterator[Callable[..., Any]]:
    """Open a page; afterwards the console must have stayed empty."""

    from tests.reporting.html.browser import Page

    def show(*runs: RunPage) -> Any:
        return Page(driver, runs or [run_page()], tmp_path / "page.html")

    driver.get_log("browser")
    yield show
    assert driver.get_log("browser") == []
