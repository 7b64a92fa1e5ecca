"""Text that is written in several ways is said, and text that is not a category is refused."""

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from dcsomrl.data.files import arrays
from dcsomrl.data.images import images
from dcsomrl.errors import DataError

N = 48


def write(tmp_path, values):
    path = tmp_path / "t.csv"
    table = pd.DataFrame({"v": np.resize(values, N), "b": np.random.default_rng(0).random(N)})
    table.to_csv(path, index=False)
    return str(path)


@pytest.mark.parametrize(
    ("values", "settings"),
    [
        (["Red", "red", "blue"], {"categories": "onehot"}),
        (["red", "red ", "blue"], {"categories": "onehot"}),
        (["Red", "red", "blue"], {"target": "v"}),
    ],
)
def test_values_in_several_writings_are_said(tmp_path, values, settings):
    notes = arrays(write(tmp_path, values), **settings).notes
    assert any(f"{values[0]!r} and {values[1]!r}" in one for one in notes)
    plain = arrays(write(tmp_path, ["red", "blue"]), **settings).notes
    assert not any("capitals" in one for one in plain)


def test_classes_of_images_in_several_writings_are_said(tmp_path):
    for name in ("Cat", "cat", "dog"):
        (tmp_path / name).mkdir()
        for i in range(4):
            Image.fromarray(np.zeros((4, 4), np.uint8)).save(tmp_path / name / f"{i}.png")
    assert any("'Cat' and 'cat'" in one for one in images(str(tmp_path)).notes)


NO_CATEGORIES = {
    "months": (["2024-01", "2024-02", "2023/12"], "dates"),
    "weeks": (["2024-W01", "2024W52"], "dates"),
    "quarters": (["2024Q1", "2024-Q2", "Q3 2024"], "dates"),
    "basic times": (["20240101T000000Z", "20240102T1200"], "dates"),
    "durations": (["PT5M", "P1DT2H"], "dates"),
    "hours and minutes": (["1h 30m", "2 h 5 min"], "dates"),
    "lengths": (["150 cm", "162.5cm"], "numbers with a unit"),
    "thousands": (["1.5k", "20k"], "numbers with a unit"),
    "degrees": (["20 °C", "21.5°C"], "numbers with a unit"),
    "lists": (["[1, 2, 3]", "[4 5 6]"], "lists as text"),
    "dicts": (['{"a": 1}', '{"a": 2}'], "lists as text"),
}


@pytest.mark.parametrize("kind", NO_CATEGORIES)
def test_dates_measures_and_lists_are_no_categories(tmp_path, kind):
    values, said = NO_CATEGORIES[kind]
    with pytest.raises(DataError, match=rf"v \({said}, ") as caught:
        arrays(write(tmp_path, values), categories="onehot")
    assert "categories=onehot" not in str(caught.value)


CATEGORIES = {
    "intervals": ["(0, 10]", "(10, 20]"],
    "closed intervals": ["[0, 10]", "[11, 20]"],
    "ages": ["0-9", "10-19"],
    "dimensions": ["2D", "3D"],
    "classes": ["3A", "4B"],
    "ordinals": ["1st", "2nd"],
    "units": ["5 cm", "5 kg"],
    "letters": ["P", "T"],
    "seasons": ["2011/12", "2012/13"],
    "codes": ["Q1", "Q2"],
}


@pytest.mark.parametrize("kind", CATEGORIES)
def test_other_texts_are_categories(tmp_path, kind):
    names = arrays(write(tmp_path, CATEGORIES[kind]), categories="onehot").feature_names
    assert names == [*(f"v={one}" for one in CATEGORIES[kind]), "b"]


@pytest.mark.parametrize("gap", ["\u2013", "\u2014", "n.s."])
def test_dashes_among_numbers_are_missing(tmp_path, gap):
    notes = arrays(write(tmp_path, ["1.5", "2", gap]), missing="median").notes
    assert any("are taken as missing" in one for one in notes)


def test_names_with_signs_that_are_not_seen_are_without_them(tmp_path):
    (tmp_path / "t.csv").write_text(
        "\u200ba,b\ufeff\n" + "".join(f"{i},{i * i}\n" for i in range(9))
    )
    assert arrays(str(tmp_path / "t.csv")).feature_names == ["a", "b"]
