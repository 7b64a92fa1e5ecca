"""Brings the pages of experiments/, which lie beside the documentation, into the site."""

import re
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File, Files

TOP = Path(__file__).parent.parent
SHOWN = {".md", ".png", ".svg", ".csv"}


def on_files(files: Files, config: Any) -> Files:
    """Add what experiments/ shows, under the same paths as in the repository."""
    for path in sorted((TOP / "experiments").rglob("*")):
        if path.suffix in SHOWN:
            name = path.relative_to(TOP).as_posix()
            files.append(File(name, str(TOP), config["site_dir"], use_directory_urls=False))
    return files


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """Point links at pages of the site, and take those away that lead to files of the source."""
    if not page.file.src_uri.startswith("experiments/"):
        markdown = markdown.replace("](../experiments/", "](experiments/")
    source = r"(?<!!)\[([^\]]+)\]\((?:\.\./)+(?!experiments|[a-z_]+\.md)[^)]*\)"
    return re.sub(source, r"\1", markdown)


def on_page_content(html: str, **_: Any) -> str:
    """Take the marks of Sphinx's roles out of docstrings: what they name is code already."""
    return re.sub(r":(?:func|class|meth|data|mod|attr|math):(?=<code>)", "", html)
