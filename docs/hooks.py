"""Brings the pages of experiments/, and lines of the source, into the site."""

import ast
import posixpath
import re
import textwrap
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File, Files

TOP = Path(__file__).parent.parent
SHOWN = {".md", ".png", ".svg", ".csv"}
WIDE = 9  # bars in a row of a table of more than eight columns


def on_files(files: Files, config: Any) -> Files:
    """Add what experiments/ shows, under the same paths as in the repository."""
    for path in sorted((TOP / "experiments").rglob("*")):
        if path.suffix in SHOWN:
            name = path.relative_to(TOP).as_posix()
            files.append(File(name, str(TOP), config["site_dir"], use_directory_urls=False))
    return files


def on_page_markdown(markdown: str, page: Any, files: Files, **_: Any) -> str:
    """Point links at pages of the site, and take those away that lead to files of the source.

    A page with a wide table has no menu of its own headings, which leaves the table its room.
    In other tables no line breaks between a number and its deviation. A picture is a link to itself
    in full size.
    """
    lines = markdown.splitlines()
    wide = [line.startswith("|") and line.count("|") > WIDE for line in lines]
    if any(wide):
        page.meta["hide"] = ["toc"]
    for number, line in enumerate(lines):
        if line.startswith("|") and not wide[number]:
            lines[number] = line.replace(" ± ", "\u00a0±\u00a0")
    markdown = "\n".join(lines)
    if page.file.src_uri.startswith("experiments/"):
        markdown = re.sub(r"\]\(((?:\.\./)+)docs/", r"](\1", markdown)
    else:
        markdown = markdown.replace("](../experiments/", "](experiments/")
    markdown = re.sub(r"^code: ([\w.]+)$", lambda found: show_code(found[1]), markdown, flags=re.M)
    markdown = re.sub(r"!\[([^\]]*)\]\(([^)]+)\)", r"[![\1](\2)](\2)", markdown)

    def keep(link: re.Match[str]) -> str:
        """The link where its file is one of the site, else its text alone."""
        target = posixpath.join(posixpath.dirname(page.file.src_uri), link[2].partition("#")[0])
        known = files.get_file_from_path(posixpath.normpath(target))
        return link[0] if known else link[1]

    return re.sub(r"(?<!!)\[([^\[\]]+)\]\(((?:\.\./)+[^)]*)\)", keep, markdown)


def show_code(name: str) -> str:
    """The lines of a function or method, without what it says of itself, and where they stand.

    Args:
        name: in full, as dcsomrl.maps.rules.compute_push.
    """
    *_, file = (f for f in _list_files(name) if f.is_file())
    text = file.read_text(encoding="utf-8")
    node: Any = ast.parse(text)
    module = ".".join(file.relative_to(TOP).with_suffix("").parts)
    for part in name.removeprefix(f"{module}.").split("."):
        node = next(one for one in node.body if getattr(one, "name", None) == part)
    lines = text.splitlines()
    said = node.body[0]  # its docstring
    kept = lines[node.lineno - 1 : said.lineno - 1] + lines[said.end_lineno : node.end_lineno]
    where = f"`{file.relative_to(TOP)}`, line {node.lineno}"
    return f"{where}:\n\n```python\n{textwrap.dedent(chr(10).join(kept))}\n```"


def _list_files(name: str) -> list[Path]:
    """Where the module may lie in which a name is defined."""
    parts = name.split(".")
    return [TOP.joinpath(*parts[:n]).with_suffix(".py") for n in range(1, len(parts))]


def on_page_content(html: str, **_: Any) -> str:
    """Take the marks of Sphinx's roles out of docstrings: what they name is code already."""
    return re.sub(r":(?:func|class|meth|data|mod|attr|math):(?=<code>)", "", html)
