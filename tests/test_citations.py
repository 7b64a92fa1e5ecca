"""A number of the paper's stands nowhere without its title and venue in the same file."""

import re

import pytest

from dcsomrl.configuration import find_config_dir

TOP = find_config_dir().parent
NUMBERED = re.compile(
    r"\b(Figs?\. ?\d|Table \d|eqs?\. ?\(?\d|section \d|Algorithm 1|appendix [A-Z])|\(A\.\d\)"
)
TITLE = re.compile(
    r"Shaping latent representations using Self-Organizing Maps with Relevance Learning ?, "
    r"submitted to ICLR 2022"
)


@pytest.mark.skipif(not (TOP / "docs").is_dir(), reason="an installed package has no documentation")
def test_what_has_a_number_of_the_paper_names_the_paper():
    lacking = []
    for folder in ("dcsomrl", "conf", "docs", "experiments", "tests"):
        for file in (TOP / folder).rglob("*"):
            if file.suffix not in (".py", ".md", ".yaml"):
                continue
            text = re.sub(r'[\s#"]+', " ", file.read_text())
            if (
                NUMBERED.search(text)
                and not TITLE.search(text)
                and "runs import CITATION" not in text
            ):
                lacking.append(str(file.relative_to(TOP)))
    assert lacking == []
