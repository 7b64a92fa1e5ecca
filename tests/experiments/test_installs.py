"""Sizes of installations, on packages made here."""

import zipfile
from pathlib import Path

import pytest

from experiments.installs import Environment, Row, render

pytestmark = pytest.mark.slow


def make_wheel(folder: Path, name: str, version: str, size: int) -> Path:
    """A package of one module of a size, without any code."""
    about = f"{name}-{version}.dist-info"
    path = folder / f"{name}-{version}-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as wheel:
        wheel.writestr(f"{name}/data.bin", bytes(size))
        wheel.writestr(
            f"{about}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
        )
        wheel.writestr(
            f"{about}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        wheel.writestr(f"{about}/RECORD", "")
    return path


def test_what_is_added_is_measured_and_taken_away_again(tmp_path, monkeypatch):
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    monkeypatch.delenv("PIP_CONSTRAINT", raising=False)
    old, new = (str(make_wheel(tmp_path, "small", one, 1_000_000)) for one in ("1.0", "2.0"))
    large = str(make_wheel(tmp_path, "large", "1.0", 5_000_000))
    environment = Environment(tmp_path / "venv")
    row = environment.add("small", old)
    assert (row.name, row.packages) == ("small", 1)
    assert row.size == pytest.approx(1_000_000, rel=0.01)
    base = environment.list_versions()
    assert base["small"] == "1.0"
    # An installation that changes a version beside what it brings.
    row = environment.add("large", large, new)
    assert row.packages == 1
    assert row.size == pytest.approx(5_000_000, rel=0.01)
    environment.restore(base)
    assert environment.list_versions() == base


def test_the_page_has_a_row_for_each():
    page = render([Row("torch", 31, 5_755_000_000, 154.2), Row("dcsomrl", 25, 313_400_000, 50.0)])
    assert "| `torch` | 5,755 MB | 31 | 154 |\n| `dcsomrl` | 313 MB | 25 | 50 |" in page
