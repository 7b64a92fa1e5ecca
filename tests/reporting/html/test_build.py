import base64
import io
import json
import re
from html.parser import HTMLParser

import numpy as np
import pytest
from PIL import Image

from dcsomrl.reporting.html import QUESTIONS, Answer, Cluster, Picture, RunPage, build_page
from tests.reporting.html.samples import (
    FEATURES,
    answered_page,
    cluster_rows,
    comparison,
    explorer,
    picture,
    run_page,
    table_explorer,
)

EMPTY = {"br", "hr", "img", "input", "link", "meta"}
HOSTILE = "</script><script>alert('x')</script> \"quoted\" & Grüße 漢字"


class Reader(HTMLParser):
    """Notes ids, texts and scripts; fails where an end tag has no start."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []
        self.texts: list[str] = []
        self.tags: list[tuple[str, dict]] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag, attrs):
        if tag not in EMPTY:
            self.open.append(tag)
        self.handle_startendtag(tag, attrs)

    def handle_startendtag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        self.ids += [value for name, value in attrs if name == "id"]

    def handle_endtag(self, tag):
        assert self.open.pop() == tag, f"</{tag}> closes another element"

    def handle_data(self, data):
        self.texts.append(data)


def payloads(page: str) -> list[dict]:
    found = re.findall(r'<script type="application/json">(.*?)</script>', page, re.DOTALL)
    return [json.loads(text) for text in found]


def unpacked(packed: dict, shape: tuple[int, ...]) -> np.ndarray:
    data = base64.b64decode(packed["data"])
    return np.frombuffer(data, dtype=f"<{packed['type']}").reshape(shape)


def cells(sheet: dict, count: int) -> np.ndarray:
    """The pictures of a sheet, (count, h, w, c)."""
    image = np.asarray(Image.open(io.BytesIO(base64.b64decode(sheet["png"]))))
    image = image[..., None] if image.ndim == 2 else image
    height, width, columns = sheet["height"], sheet["width"], sheet["columns"]
    found = []
    for index in range(count):
        top, left = index // columns * height, index % columns * width
        found.append(image[top : top + height, left : left + width])
    return np.stack(found)


def two_runs() -> list[RunPage]:
    return [run_page("first"), run_page("second", explorer=table_explorer())]


def test_the_page_loads_nothing_from_elsewhere():
    page = build_page(two_runs(), "Two maps")
    links = set(re.findall(r"""https?://[^\s"'<>)]+""", page))
    assert links <= {"http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"}
    for _, attributes in Reader(page).tags:
        for name in ("src", "href", "xlink:href"):
            assert (attributes.get(name) or "#").startswith(("#", "data:"))
    assert "@import" not in page
    assert "default-src 'none'" in page


@pytest.mark.parametrize(
    "runs",
    [two_runs(), [run_page(explorer=None, pictures=[], notes=[], summary=[], clusters=[])]],
    ids=["two", "nothing"],
)
def test_the_elements_are_balanced(runs):
    page = build_page(runs, "Maps")
    assert page.startswith("<!DOCTYPE html>")
    assert Reader(page).open == []


def test_hostile_names_stay_text():
    run = RunPage(
        title=HOSTILE,
        summary=[(HOSTILE, HOSTILE)],
        notes=[HOSTILE],
        pictures=[Picture("a", HOSTILE, HOSTILE, picture("a", HOSTILE[:-3]).svg)],
        explorer=explorer(class_names=[HOSTILE] * 10, relevance_names=[HOSTILE] * 8),
        clusters=[Cluster(0, {HOSTILE: HOSTILE})],
        meanings={HOSTILE: HOSTILE},
    )
    page = build_page([run, run_page()], HOSTILE)
    reader = Reader(page)
    assert reader.open == []
    assert [tag for tag, _ in reader.tags].count("script") == 3
    assert "alert" not in re.sub(r"&lt;script&gt;alert|\\u003cscript\\u003ealert", "", page)
    assert payloads(page)[0]["class_names"] == [HOSTILE] * 10
    # The title, the heading of a column, a measure, its value, a caption and a note at the least.
    assert sum(HOSTILE in text for text in reader.texts) >= 6


def test_arrays_come_back_as_they_were_given():
    given = explorer(nodes=12, points=300)
    page = build_page([run_page(explorer=given)], "Map")
    (data,) = payloads(page)
    for name in (
        *("node_xy", "edges", "strength", "slots", "wins", "activation", "node_class", "purity"),
        *("point_xy", "point_node", "point_activation", "point_class", "relevances", "levels"),
        *("nearest_rows", "nearest_distance"),
    ):
        wanted = getattr(given, name)
        np.testing.assert_allclose(unpacked(data[name], wanted.shape), wanted, rtol=1e-6)
    assert data["profiles"] is None


def test_whole_numbers_take_two_bytes_only_where_they_fit():
    rows = np.full((12, 6), 70_000)
    (data,) = payloads(build_page([run_page(explorer=explorer(nearest_rows=rows))], "Map"))
    assert data["nearest_rows"]["type"] == "i4"
    assert data["point_node"]["type"] == "i2"
    assert unpacked(data["nearest_rows"], (12, 6)).tolist() == rows.tolist()


@pytest.mark.parametrize("channels", [1, 3])
def test_pictures_come_back_from_their_sheets(channels):
    given = explorer(nodes=7, channels=channels)
    wide = given.tiles[:, :, :4]
    given = explorer(nodes=7, channels=channels, tiles=wide, disturbed=given.disturbed[..., :4, :])
    (data,) = payloads(build_page([run_page(explorer=given)], "Map"))
    np.testing.assert_array_equal(cells(data["tiles"], 7), wide)
    nearest = cells(data["nearest"], 7 * 6)
    np.testing.assert_array_equal(nearest.reshape(given.nearest.shape), given.nearest)
    disturbed = cells(data["disturbed"], 4 * 7)
    np.testing.assert_array_equal(disturbed.reshape(given.disturbed.shape), given.disturbed)


def test_grey_pictures_are_stored_grey():
    (data,) = payloads(build_page([run_page()], "Map"))
    assert Image.open(io.BytesIO(base64.b64decode(data["tiles"]["png"]))).mode == "L"


def test_ids_are_unique_and_references_find_them():
    page = build_page(two_runs(), "Two maps")
    reader = Reader(page)
    assert len(reader.ids) == len(set(reader.ids))
    svgs = re.findall(r"<svg.*?</svg>", page, re.DOTALL)
    assert len(svgs) == 4
    for svg in svgs:
        own = set(re.findall(r'\bid="([^"]+)"', svg))
        references = set(re.findall(r'href="#([^"]+)"|url\(#([^)]+)\)', svg))
        used = {first or second for first, second in references}
        assert used
        assert used <= own


def test_a_figures_style_and_metadata_stay_out_of_the_page():
    page = build_page([run_page()], "Map")
    styles = re.findall(r'<style type="text/css">(.*?)</style>', page)
    assert [style.split("{")[0] for style in styles] == ["#r0p0-sheet svg *", "#r0p1-sheet svg *"]
    assert "<?xml" not in page
    assert "<metadata" not in page
    assert page.count("<!DOCTYPE") == 1


def test_measures_that_a_run_lacks_are_dashes():
    runs = [
        run_page("first", summary=[("Purity", "0.9"), ("Seconds", "12")]),
        run_page("second", summary=[("NMI", "0.7"), ("Purity", "0.8")]),
    ]
    page = build_page(runs, "Two maps")
    table = re.search(r'<table class="summary">(.*?)</table>', page)[1]
    rows = [re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row) for row in table.split("<tr>")[1:]]
    assert rows == [
        ["", "first", "second", "what it says"],
        ["Purity", "0.9", "0.8", ""],
        ["Seconds", "12", "\N{EN DASH}", ""],
        ["NMI", "\N{EN DASH}", "0.7", "0 to 1, higher is better"],
    ]


@pytest.mark.parametrize(("side", "channels"), [(8, 1), (8, 3), (200, 3)])
def test_the_page_begins_with_the_clusters_and_their_pictures(side, channels):
    rows = cluster_rows(side=side, channels=channels)
    page = build_page([run_page(clusters=rows)], "Map")
    first = page.index("<h2>Which clusters are there?</h2>")
    assert first < page.index("<h2>Map</h2>") < page.index("<h2>Numbers")
    table = re.search(r'<table class="clusters"[^>]*>(.*?)</table>', page)[1]
    rows_of = re.split(r"<tr[^>]*>", table)[1:]
    cells = [re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row) for row in rows_of]
    assert cells[0] == ["cluster", "samples", "typical samples", "nodes"]
    assert [[*row[:2], row[3]] for row in cells[1:]] == [
        [str(i), str(90 - i), "4"] for i in range(3)
    ]
    image = re.search(r'base64,([^"]+)" width="(\d+)" height="(\d+)" alt="([^"]+)"', cells[2][2])
    shown = Image.open(io.BytesIO(base64.b64decode(image[1])))
    assert image[4] == "5 typical samples of cluster 1"
    assert shown.width / shown.height == pytest.approx(int(image[2]) / int(image[3]), rel=0.02)
    assert shown.height == min(side, 2 * int(image[3]))
    if side == 8:  # as they were given, a white line between two
        pixels = np.asarray(shown.convert("RGB" if channels == 3 else "L")).reshape(8, -1, channels)
        np.testing.assert_array_equal(pixels[:, :8], rows[1].pictures[0])
        np.testing.assert_array_equal(pixels[:, 9:17], rows[1].pictures[1])
        assert (pixels[:, 8] == 255).all()


def test_what_a_table_shows_has_no_pictures():
    rows = [Cluster(0, {"samples": "9", "set apart by": "width +1.2"})]
    page = build_page([run_page(clusters=rows, explorer=table_explorer())], "Map")
    assert "typical samples</th>" not in page
    assert "A feature sets a cluster apart" in page


def test_clusters_with_other_facts_are_refused():
    rows = [Cluster(0, {"samples": "9"}), Cluster(1, {"nodes": "9"})]
    with pytest.raises(ValueError, match="cluster 1 has other facts"):
        build_page([run_page(clusters=rows)], "Map")


def test_figures_of_one_name_stand_in_one_row():
    runs = [run_page("first"), run_page("second", pictures=[picture("sizes", "Samples won")])]
    page = build_page(runs, "Two maps")
    scores, sizes = page.split('<div class="figures">')[1:]
    assert [scores.count("<figure>"), sizes.count("<figure>")] == [1, 2]
    assert "second has none." in scores
    assert "<b>first.</b>" in sizes
    assert "<b>second.</b>" in sizes


def test_notes_name_their_run_unless_they_are_of_all():
    own, shared = "A single node.", "Labels only score."
    first, second = run_page("first", notes=[own, shared]), run_page("second", notes=[shared])
    assert f"<li>{own}</li><li>{shared}</li>" in build_page([first], "Map")
    both = build_page([first, second], "Maps")
    assert f"<li><b>first:</b> {own}</li><li>{shared}</li>" in both
    assert both.count(shared) == 1


def test_a_run_without_a_map_says_so_beside_one_that_has_one():
    both = build_page([run_page("first"), run_page("second", explorer=None)], "Maps")
    assert "This run has no map to explore." in both
    assert len(payloads(both)) == 1
    alone = build_page([run_page(explorer=None)], "Map")
    assert "no map to explore" not in alone
    assert payloads(alone) == []


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"edges": np.array([[0, 12]]), "strength": np.ones(1)}, "edges must be between 0 and 11"),
        ({"edges": np.array([[0, 1]])}, "edges must have the shape"),
        ({"strength": np.zeros(3), "edges": np.zeros((3, 2), int)}, "strength must be finite"),
        ({"node_xy": np.zeros((11, 2))}, r"node_xy must have the shape \(12, 2\), got \(11, 2\)"),
        ({"node_xy": np.full((12, 2), np.nan)}, "node_xy must be finite"),
        ({"slots": np.zeros(0, int)}, "at least one node"),
        ({"wins": np.ones(11, int)}, "wins must have the shape"),
        ({"wins": np.ones(12)}, "wins must hold whole numbers"),
        ({"node_class": np.full(12, 10)}, "node_class must be between -1 and 9, got 10"),
        ({"point_node": np.full(300, -2)}, "point_node must be between -1 and 11, got -2"),
        ({"point_xy": np.zeros((300, 3))}, "point_xy must have the shape"),
        ({"point_class": np.zeros(2, int)}, "point_class must have the shape"),
        ({"relevance_names": ["z0"]}, "relevances must have the shape"),
        ({"tiles": np.zeros((12, 4, 4, 2), np.uint8)}, r"tiles must have the shape \(12, h, w"),
        ({"tiles": np.zeros((12, 10, 10, 1))}, "tiles must be uint8"),
        ({"nearest": np.zeros((12, 5, 4, 4, 1), np.uint8)}, r"nearest must have the shape \(12, 6"),
        ({"disturbed": np.zeros((4, 12, 4, 4, 1), np.uint8)}, "disturbed must have the shape"),
        ({"tiles": None}, "disturbed pictures need tiles"),
        ({"profiles": np.zeros((12, 3))}, "profiles need feature_names"),
        ({"nearest_distance": np.zeros((12, 2))}, "nearest_distance must have the shape"),
    ],
)
def test_what_does_not_fit_is_refused_in_a_sentence(changes, sentence):
    with pytest.raises(ValueError, match=sentence) as caught:
        build_page([run_page(explorer=explorer(**changes))], "Map")
    assert str(caught.value).endswith(".")


def test_answers_and_the_pictures_that_help_stand_under_their_question():
    page = build_page([answered_page()], "Map")
    parts = re.split(r'<section id="([a-z0-9-]+)">', page)[1:]
    sections = dict(zip(parts[::2], parts[1::2], strict=True))
    assert list(sections)[:5] == list(QUESTIONS)
    for key, question in QUESTIONS.items():
        assert f'<a href="#{key}">{question}</a>' in page
        assert f"<h2>{question}</h2>" in sections[key]
    assert "2 of 9 are outliers" in sections["odd"]
    assert re.findall(r'<img[^>]*alt="(s\d)"', sections["odd"]) == ["s7", "s3"]
    assert "Samples won" in sections["trained"]
    assert "Samples won" not in sections["pictures"]
    assert "Scores by epoch" in sections["pictures"]
    assert "After Fig. X of the paper." in sections["trained"]
    assert page.count("The paper: ") == 1
    assert "The paper: " not in build_page([run_page()], "Map")
    assert re.findall(r'"border_counts":', sections["apart"])


def test_answers_of_several_runs_stand_under_their_names():
    page = build_page([answered_page("first"), answered_page("second"), run_page("third")], "Maps")
    odd = page.split('<section id="odd">')[1].split("</section>")[0]
    assert re.findall("<h3>(.*?)</h3>", odd) == ["first", "second"]
    assert Reader(page).open == []


@pytest.mark.parametrize(
    ("answers", "changes", "sentence"),
    [
        ({"why": Answer("Because")}, {}, "no question 'why'"),
        ({"odd": Answer("Two", ["a", "b"], [["1"]])}, {}, "row of another length"),
        ({"odd": Answer("", ["a"], [["1"]], np.zeros((2, 3, 3, 1), np.uint8))}, {}, "each row"),
        ({}, {"border": np.zeros((3, 2), int)}, r"border must have the shape \(3, 3\)"),
        ({}, {"pictures": np.zeros((2, 8, 8, 1), np.uint8)}, r"pictures must have the shape \(3"),
        ({}, {"pictures": None}, "needs pictures, or means"),
        (
            {},
            {"pictures": None, **FEATURES, "means": np.zeros((3, 3))},
            r"means must have .*\(3, 2",
        ),
    ],
)
def test_answers_that_do_not_fit_are_refused(answers, changes, sentence):
    with pytest.raises(ValueError, match=sentence):
        build_page([run_page(answers=answers, comparison=comparison(**changes))], "Map")


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"pictures": [picture("a b")]}, "picture's name must be letters"),
        ({"pictures": [picture("a"), picture("a")]}, "picture 'a' stands twice"),
        ({"summary": [("NMI", "1"), ("NMI", "2")]}, "measure 'NMI' stands twice"),
        ({"pictures": [Picture("a", "A", "", "<p></p>")]}, "holds no <svg> element"),
    ],
)
def test_runs_that_contradict_themselves_are_refused(changes, sentence):
    with pytest.raises(ValueError, match=sentence):
        build_page([run_page(**changes)], "Map")


def test_a_page_without_runs_is_refused():
    with pytest.raises(ValueError, match="at least one run"):
        build_page([], "Nothing")
