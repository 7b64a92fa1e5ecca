"""Files of text that are not tables of separated fields, known by their first lines."""

import re
from collections.abc import Callable, Sequence
from itertools import pairwise

CSV = "save its rows as CSV"
# A pair of an index and a value, and a line of LIBSVM: a label, or several, and such pairs.
PAIR = r"(?:qid|\d+):[+-]?[\d.]+(?:[eE][+-]?\d+)?"
LIBSVM = re.compile(rf"[+-]?[\d.,]+(?:[eE][+-]?\d+)?((?:\s+{PAIR})*)\s*(?:#.*)?")
CLOCK = re.compile(r"\d{1,2}:\d{2}")
RULE = re.compile(r"[-=+|:\s]*[-=]{2,}[-=+|:\s]*")
YAML = re.compile(r"(-\s+)*[\"']?[^\W\d][\w .-]*[\"']?:(\s.*)?|-\s+\S.*|---|\.\.\.")
SECTION = re.compile(r"\[\[?\s*[\w.\"' -]*[^\W\d][\w.\"' -]*\]\]?\s*([#;].*)?")
SETTING = re.compile(r"[\w.\"'-]+\s*=\s*\S.*")
PRINTED = re.compile(r"(array|tensor)\(|\[\[?\s*[+-]?[\d.]+[\s\],]")
# Lines that are looked at.
LOOKED_AT = 5


def describe_format(start: str, most: int) -> tuple[str, str] | None:
    """What a text is that is not a table, and what to do about it; None where it may be one.

    Args:
        start: of the text.
        most: its length, where it may be cut.
    """
    whole = start if len(start) < most else start.rpartition(" ")[0]
    lines = [line.strip() for line in whole.splitlines() if line.strip()]
    if len(lines) > 1 and len(start) >= most:
        lines = lines[:-1]
    if lines and lines[0].startswith("%%MatrixMarket"):
        return "a Matrix Market file", "read it by scipy.io.mmread, and save it as npz"
    bare = [line for line in lines if line[0] not in "%#;"]
    for (what, remedy), is_such in FORMATS.items():
        if bare and is_such(bare[:LOOKED_AT]):
            return what, remedy
    return None


def _is_libsvm(lines: Sequence[str]) -> bool:
    """Whether all lines are a label and pairs of rising indices, and these no times of day."""
    found = [LIBSVM.fullmatch(line) for line in lines]
    rows = [re.findall(r"\s(\d+):(\S+)", one[1]) for one in found if one]
    rises = all(int(a[0]) < int(b[0]) for row in rows for a, b in pairwise(row))
    times = all(CLOCK.fullmatch(":".join(pair)) for row in rows for pair in row)
    return all(found) and rises and not times


def _is_ruled(lines: Sequence[str]) -> bool:
    """Whether a line is drawn above or below the names."""
    return any(RULE.fullmatch(line) for line in lines[:2])


def _is_yaml(lines: Sequence[str]) -> bool:
    return len(lines) > 1 and all(YAML.fullmatch(line) for line in lines)


def _is_settings(lines: Sequence[str]) -> bool:
    return bool(SECTION.fullmatch(lines[0])) or (
        len(lines) > 1 and all(SETTING.fullmatch(line) for line in lines)
    )


def _is_printed(lines: Sequence[str]) -> bool:
    return PRINTED.match(lines[0]) is not None


def _begins(*words: str) -> Callable[[Sequence[str]], bool]:
    """A check for a text that begins with one of some words."""
    return lambda lines: lines[0].lower().startswith(words)


FORMATS: dict[tuple[str, str], Callable[[Sequence[str]], bool]] = {
    (
        "in the format of LIBSVM",
        "read it by sklearn.datasets.load_svmlight_file, and save its x by scipy.sparse.save_npz",
    ): _is_libsvm,
    ("an ARFF file", f"{CSV}, as of scipy.io.arff.loadarff"): _begins("@relation"),
    ("in YAML", CSV): _is_yaml,
    ("a table drawn with lines, as Markdown and terminals have them", CSV): _is_ruled,
    ("in TOML, or settings otherwise", CSV): _is_settings,
    ("an array as it is printed", "save it by np.save or np.savetxt"): _is_printed,
    ("a document in LaTeX", "save its table as CSV"): _begins("\\documentclass", "\\begin{"),
    ("commands of SQL", "save the table that they make as CSV"): _begins(
        *("create table", "insert into", "drop table", "-- mysql", "-- postgresql"),
    ),
    ("a merge of Git that is not finished", "choose one of its sides"): _begins("<<<<<<< "),
}
