"""Files of text that are not tables are called by what they are, and tables are read."""

import gzip

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import dump_svmlight_file

from dcsomrl.data.files import arrays
from dcsomrl.errors import DataError

ROWS = "".join(f"{i},{i * i % 7}\n" for i in range(20))
NO_TABLES = {
    "libsvm": (
        "+1 3:0.5 7:1\n-1 1:2 3:1e-3 # a note\n-1\n",
        "LIBSVM, and no table of fields: read",
    ),
    "libsvm ranks": ("2 qid:1 1:0.5 2:1\n1 qid:1 1:2 3:1\n", "LIBSVM"),
    "libsvm labels": ("1,3 2:5 4:1\n2 1:1\n", "LIBSVM"),
    "arff": ("% a title\n\n@RELATION iris\n@ATTRIBUTE a REAL\n@DATA\n1\n", "ARFF"),
    "markdown": ("| a | b |\n| --- | ---: |\n| 1 | 2 |\n| 3 | 4 |\n", "drawn with lines"),
    "bare markdown": ("a | b\n--- | ---\n1 | 2\n3 | 4\n", "drawn with lines"),
    "terminal": ("+---+---+\n| a | b |\n+---+---+\n| 1 | 2 |\n", "drawn with lines"),
    "psql": (" a | b \n---+---\n 1 | 2\n 3 | 4\n", "drawn with lines"),
    "simple": ("===  ===\na    b\n===  ===\n1    2\n", "drawn with lines"),
    "yaml": ("- a: 1\n  b: 2\n- a: 3\n  b: 4\n", "YAML"),
    "yaml of columns": ("---\n# a note\nsepal length:\n  - 1\n  - 2\n", "YAML"),
    "toml": ("# a note\n[[rows]]\na = 1\nb = 2\n", "TOML"),
    "settings": ("a=1\nb = 2\n", "TOML, or settings"),
    "print": ("[[0.1 0.2]\n [0.3 0.4]]\n", "as it is printed"),
    "tensor": ("tensor([[0.1, 0.2],\n [0.3, 0.4]])\n", "as it is printed"),
    "latex": ("\\begin{tabular}{ll}\na & b \\\\\n1 & 2 \\\\\n\\end{tabular}\n", "LaTeX"),
    "matrix market": ("%%MatrixMarket matrix coordinate real general\n3 3 1\n1 1 0.5\n", "Market"),
    "sql": ("INSERT INTO t VALUES (1, 2);\nINSERT INTO t VALUES (3, 4);\n", "SQL"),
    "git": ("<<<<<<< HEAD\na,b\n1,2\n=======\na,b\n>>>>>>> other\n", "a merge of Git"),
    "json": ('["a"]\n', "JSON"),
    "json of columns": ('{"a": [1, 2],\n "b": [3, 4]}\n', "JSON"),
}


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("kind", NO_TABLES)
def test_a_text_that_is_no_table_is_called_by_what_it_is(tmp_path, kind, packed):
    content, said = NO_TABLES[kind]
    path = tmp_path / ("t.csv.gz" if packed else "t.txt")
    path.write_bytes(gzip.compress(content.encode()) if packed else content.encode())
    with pytest.raises(DataError, match=said) as caught:
        arrays(str(path))
    assert str(caught.value).startswith(str(path))


@pytest.mark.parametrize("suffix", ["arff", "libsvm", "md", "yaml", "toml", "sql", "dat"])
@pytest.mark.parametrize("kind", ["arff", "libsvm", "markdown", "yaml", "toml", "sql"])
def test_so_is_one_of_another_suffix(tmp_path, kind, suffix):
    content, said = NO_TABLES[kind]
    path = tmp_path / f"t.{suffix}"
    path.write_text(content)
    with pytest.raises(DataError, match=said.partition(":")[0].partition(",")[0]):
        arrays(str(path))


def test_wide_rows_of_libsvm_are_told_by_their_beginning(tmp_path):
    x = np.random.default_rng(0).random((5, 2000))
    dump_svmlight_file(x, np.arange(5), str(tmp_path / "t.txt"))
    with pytest.raises(DataError, match="LIBSVM"):
        arrays(str(tmp_path / "t.txt"))


TABLES = {
    "times": "day 1st 2nd\n" + "".join(f"{i} {i % 24}:30 {i * 5 % 24}:15\n" for i in range(20)),
    "names in brackets": "[a],[b]\n" + ROWS,
    "a name with a colon": "a: x,b\n" + ROWS,
    "a name with a sign": "a = b,b\n" + ROWS,
    "a name with lines": "a--,--b\n" + ROWS,
    "negative": "a,b\n" + "".join(f"-{i},-{i * i % 7}\n" for i in range(1, 20)),
    "comments": "# a: b\n# c: d\na,b\n" + ROWS,
    "one column": "a\n" + "".join(f"{i * i % 7}\n" for i in range(20)),
    "dashes for none": "a b\n" + "".join(f"{i} {'-' if i % 5 else i}\n" for i in range(20)),
}


@pytest.mark.parametrize("kind", TABLES)
def test_tables_are_no_other_format(tmp_path, kind):
    (tmp_path / "t.txt").write_text(TABLES[kind])
    if kind == "times":
        with pytest.raises(DataError, match="dates"):
            arrays(str(tmp_path / "t.txt"))
    else:
        found = arrays(str(tmp_path / "t.txt"), missing="median")
        assert found.train_x.shape[1] == (1 if kind == "one column" else 2)


@pytest.mark.parametrize("index", [False, True])
@pytest.mark.parametrize("index_name", [None, "row"])
@pytest.mark.parametrize("levels", [2, 3])
def test_columns_of_several_levels_are_refused_by_their_lines(tmp_path, index, index_name, levels):
    names = [("a", "x", "u"), ("a", "y", "u"), ("b", "x", "v")]
    columns = pd.MultiIndex.from_tuples([name[:levels] for name in names])
    table = pd.DataFrame(np.random.default_rng(0).random((12, 3)), columns=columns)
    table.index.name = index_name
    table.to_csv(tmp_path / "t.csv", index=index)
    with pytest.raises(DataError, match="names its columns in lines 1 and 2") as caught:
        arrays(str(tmp_path / "t.csv"))
    assert ("a.x.u, a.y.u, b.x.v" if levels == 3 else "a.x, a.y, b.x") in str(caught.value)


def test_one_line_of_equal_names_is_no_several(tmp_path):
    (tmp_path / "t.csv").write_text("a,a\n" + ROWS)
    with pytest.raises(DataError, match=r"several columns of one name \(a\)"):
        arrays(str(tmp_path / "t.csv"))
