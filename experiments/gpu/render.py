"""The page and the figures of what was measured on a GPU."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from matplotlib.figure import Figure

from dcsomrl.errors import DataError
from dcsomrl.writing import save_figure, tabulate
from experiments.gpu import store
from experiments.gpu.run import PARTS
from experiments.gpu.setting import Setting

HEADINGS = {
    "agreement": "Agreement with the CPU",
    "waits": "How often the host waits for the GPU in a step",
    "steps": "A training step, milliseconds",
    "maps": "The map alone, milliseconds of a step in single precision",
    "training": "Thirty epochs of MNIST, and where their time goes",
    "resuming": "Killed and resumed, compared with never stopped",
    "waiting": "Runs that waited for a GPU",
}


class Machine(NamedTuple):
    """What a number was measured on, and with which versions."""

    device: str
    torch: str
    lightning: str
    python: str

    @property
    def title(self) -> str:
        """In words."""
        return (
            f"{self.device}, torch {self.torch}, Lightning {self.lightning}, Python {self.python}"
        )


def render(out: Path, page_dir: Path) -> Path:
    """Write ``gpu.md`` and a figure for every kind of machine.

    Args:
        out: folder of the results.
        page_dir: folder of the page.

    Returns:
        The page.

    Raises:
        DataError: there are no results, or they are of a dry run.
    """
    records = store.read(out)
    if not records:
        raise DataError(f"{out} has no results: run python -m experiments.gpu on a GPU first")
    if any(record["dry_run"] for record in records.values()):
        raise DataError(f"{out} holds results of a dry run, which are not measurements")
    machines: dict[Machine, dict[str, store.Record]] = {}
    order = [
        f"{part.name}/{cell}" for part in PARTS for cell in part.list_cells(Setting(out, False))
    ]
    for name, record in sorted(records.items(), key=lambda pair: _find_place(pair[0], order)):
        machine = Machine(**{field: record[field] for field in Machine._fields})
        machines.setdefault(machine, {})[name] = record
    lines = ["# On a GPU\n", "`python -m experiments.gpu`, seed 0, MNIST, its published settings."]
    for number, (machine, own) in enumerate(machines.items(), 1):
        commits = sorted({str(record["git_commit"]) for record in own.values()})
        lines += [
            f"\n## {machine.title}\n",
            f"Commits: {', '.join(commits)}.\n",
            *_render_sections(own),
        ]
        if (figure := draw(own, machine.device)) is not None:
            name = f"gpu-{number}.png"
            save_figure(figure, page_dir / name, dpi=130)
            lines.append(f"![step times and the map's time by its nodes]({name})")
    lacking = [name for name in order if name not in records]
    if lacking:
        lines.append(f"\nNot measured yet: {len(lacking)} cells, first {'; '.join(lacking[:5])}.")
    page = page_dir / "gpu.md"
    page.write_text("\n".join(lines) + "\n")
    print(f"page: {page}")
    return page


def _find_place(name: str, order: Sequence[str]) -> int:
    """Where a cell stands among all; last if it is none any more."""
    return order.index(name) if name in order else len(order)


def _render_sections(records: Mapping[str, store.Record]) -> Iterator[str]:
    """A table for every part, and what failed."""
    for part in PARTS:
        own = {name: one for name, one in records.items() if name.startswith(f"{part.name}/")}
        done = {name: flatten(one["result"]) for name, one in own.items() if "result" in one}
        if own:
            yield f"### {HEADINGS[part.name]}\n"
        if done:
            yield render_table({name.partition("/")[2]: result for name, result in done.items()})
        failed = [f"{name} ({one['error']})" for name, one in own.items() if "error" in one]
        if failed:
            yield f"Failed: {'; '.join(failed)}.\n"


def render_table(results: Mapping[str, Mapping[str, Any]]) -> str:
    """A row a cell where all have the same measures, else a row a measure."""
    keys = [tuple(result) for result in results.values()]
    if len(keys) > 1 and all(one == keys[0] for one in keys):
        rows = [[name, *map(format_value, result.values())] for name, result in results.items()]
        return tabulate(["", *keys[0]], rows)
    rows = [
        [name, key, format_value(value)]
        for name, result in results.items()
        for key, value in result.items()
    ]
    return tabulate(["", "measure", "value"], rows)


def flatten(result: Mapping[str, Any], before: str = "") -> dict[str, Any]:
    """Measures in measures, by both names."""
    found: dict[str, Any] = {}
    for name, value in result.items():
        if isinstance(value, Mapping):
            found |= flatten(value, f"{before}{name}: ")
        else:
            found[f"{before}{name}"] = value
    return found


def format_value(value: object) -> str:
    """A measure as a person reads it."""
    if value is None:
        return "n/a"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.0f}" if abs(value) >= 100 else f"{value:.3g}"
    return str(value)


def draw(records: Mapping[str, store.Record], device: str) -> Figure | None:
    """Step times by precision, and the map's time by its nodes; None where neither is there."""
    steps, maps = (
        {
            name.partition("/")[2]: one["result"]
            for name, one in records.items()
            if name.startswith(f"{part}/") and "result" in one
        }
        for part in ("steps", "maps")
    )
    if not steps and not maps:
        return None
    figure = Figure(figsize=(11, 0.32 * max(len(steps), 8) + 1.6), layout="constrained")
    left, right = figure.subplots(1, 2)
    figure.suptitle(device)
    for offset, name in ((-0.2, "autoencoder"), (0.2, "DC-SOMRL")):
        values = [result[f"{name} ms"] for result in steps.values()]
        bars = left.barh([row + offset for row in range(len(steps))], values, 0.38, label=name)
        left.bar_label(bars, fmt="%.2f", padding=2, fontsize=8)
    left.set_yticks(range(len(steps)), list(steps))
    left.invert_yaxis()
    left.margins(x=0.15)
    left.set(xlabel="milliseconds a step", title="Training step")
    left.legend(loc="upper center", bbox_to_anchor=(0.5, -0.1), ncols=2, fontsize=8)
    for batch in dict.fromkeys(name.partition("batch ")[2] for name in maps):
        own = {int(n.split()[0]): r for n, r in maps.items() if n.endswith(f"batch {batch}")}
        (line,) = right.plot(
            list(own), [r["map ms"] for r in own.values()], "o-", label=f"map, batch {batch}"
        )
        right.plot(
            list(own),
            [r["two products ms"] for r in own.values()],
            "o:",
            color=line.get_color(),
            label=f"its two products, batch {batch}",
        )
    right.set(xscale="log", yscale="log", xlabel="nodes", ylabel="milliseconds", title="Map alone")
    right.set_xticks([64, 1024, 4096, 16384], ["64", "1,024", "4,096", "16,384"])
    right.minorticks_off()
    right.yaxis.set_major_formatter("{x:g}")
    right.legend(loc="upper center", bbox_to_anchor=(0.5, -0.1), ncols=2, fontsize=8)
    return figure
