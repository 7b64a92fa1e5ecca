"""A table larger than the memory that a training takes: how much, and how fast.

``python -m experiments.streaming --scratch FOLDER`` makes a table of ten million rows of 50
features as parquet and as npy, about 2 GB each, reads it in three ways, each in a process of its
own, and writes ``streaming.md``: plainly, block after block; in the shuffled batches of a training;
and in one pass of ``model=somrl``, with its results. The tables are removed in the end.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import torch
from numpy.lib.format import open_memmap
from numpy.typing import NDArray

from dcsomrl import train as training
from dcsomrl.data import ClusterData
from dcsomrl.data.stream_files import stream
from dcsomrl.training.results import find_origin
from dcsomrl.writing import tabulate, write_json, write_text

PAGE, KEPT = Path("experiments/streaming.md"), Path("experiments/results/streaming.json")
KINDS = ("parquet", "npy")
# Rows that are drawn at once; of a row group, what pyarrow makes of a table by default.
CHUNK, GROUP = 2**18, 2**20
CLUSTERS, RELEVANT = 20, 30
BATCH = 4096


def main(arguments: Sequence[str]) -> None:
    """Make the tables, measure, write the page."""
    given, further = parse(arguments)
    if given.what == "read":
        told = read_plainly(Path(given.path))
    elif given.what == "batches":
        told = make_batches(given.path)
    elif given.what == "train":
        told = train(further)
    else:
        if given.what == "all":
            measure(given)
        render(json.loads(KEPT.read_text()))
        return
    # Not what the system says of a child in the end, in which its parent counts as well.
    status = Path("/proc/self/status").read_text()
    peak = int(status.partition("VmHWM:")[2].split()[0]) / 2**20
    print(json.dumps({**told, "peak": peak}))


def parse(arguments: Sequence[str]) -> tuple[argparse.Namespace, list[str]]:
    """What is asked for, and what is passed on to a training."""
    parser = argparse.ArgumentParser(description=__doc__)
    what = ("all", "render", "read", "batches", "train")
    parser.add_argument("what", nargs="?", default="all", choices=what)
    parser.add_argument("--path", help="table that `read` and `batches` take")
    parser.add_argument("--scratch", type=Path, help="folder for the tables and runs")
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--features", type=int, default=50)
    parser.add_argument("--seed", type=int, default=0)
    given, further = parser.parse_known_args(arguments)
    if given.what == "all" and given.scratch is None:
        parser.error("--scratch is needed: a folder with room for twice the table")
    return given, further


def draw_chunks(rows: int, features: int, seed: int) -> Iterator[NDArray[np.float32]]:
    """Clusters, each near in features of its own and anywhere in the others, in parts."""
    draw = np.random.default_rng(seed)
    middles = draw.uniform(0, 1, (CLUSTERS, features)).astype(np.float32)
    own = np.argsort(draw.random((CLUSTERS, features)), 1)[:, : min(RELEVANT, features)]
    relevant = np.zeros((CLUSTERS, features), bool)
    np.put_along_axis(relevant, own, True, 1)
    for first in range(0, rows, CHUNK):
        n = min(CHUNK, rows - first)
        cluster = draw.integers(CLUSTERS, size=n)
        near = middles[cluster] + np.float32(0.02) * draw.standard_normal((n, features), np.float32)
        yield np.where(relevant[cluster], near, draw.random((n, features), np.float32))


def write_tables(scratch: Path, rows: int, features: int, seed: int) -> dict[str, Path]:
    """The same table in both kinds of files."""
    paths = {kind: scratch / f"table.{kind}" for kind in KINDS}
    whole = open_memmap(paths["npy"], "w+", np.float32, (rows, features))
    names = [f"f{i}" for i in range(features)]
    schema = pa.schema([(name, pa.float32()) for name in names])
    # Random digits cannot be packed; without dictionaries pyarrow does not try.
    with pq.ParquetWriter(paths["parquet"], schema, use_dictionary=False) as writer:
        first, held = 0, []
        for chunk in draw_chunks(rows, features, seed):
            whole[first : first + len(chunk)] = chunk
            first += len(chunk)
            held.append(pa.table(list(chunk.T), schema))
            if sum(len(part) for part in held) >= GROUP or first == rows:
                writer.write_table(pa.concat_tables(held), row_group_size=GROUP)
                held = []
    whole.flush()
    return paths


def read_plainly(path: Path) -> dict[str, float]:
    """Every row once as numbers, in order, as little at once as the file allows."""
    start = time.perf_counter()
    rows = 0
    if path.suffix == ".npy":
        n = np.load(path, mmap_mode="r").shape[0]
        for first in range(0, n, CHUNK):
            rows += len(np.array(np.load(path, mmap_mode="r")[first : first + CHUNK]))
    else:
        with pq.ParquetFile(path) as file:
            for group in range(file.num_row_groups):
                table = file.read_row_group(group)
                rows += len(np.stack([column.to_numpy() for column in table.columns], 1))
    return {"rows": rows, "seconds": time.perf_counter() - start}


def make_batches(path: str) -> dict[str, float]:
    """The batches of an epoch, shuffled and normalised, that nothing learns from."""
    data = ClusterData(partial(stream, path), batch_size=BATCH, normalization="minmax")
    start = time.perf_counter()
    data.setup("fit")
    scanned = time.perf_counter()
    rows = sum(len(batch.x) for batch in data.train_dataloader())
    seconds = time.perf_counter() - scanned
    return {"rows": rows, "seconds": seconds, "scan": scanned - start}


def train(overrides: Sequence[str]) -> dict[str, float]:
    """One pass of the map alone, with all that a run writes."""
    start = time.perf_counter()
    sys.argv[1:] = overrides
    training.main()
    return {"wall": time.perf_counter() - start}


def run_child(scratch: Path, *command: str) -> dict[str, Any]:
    """What a part of this script tells that runs in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-m", "experiments.streaming", *command],
        capture_output=True,
        text=True,
        check=False,
    )
    (scratch / f"{command[0]}.log").write_text(done.stdout + done.stderr)
    if done.returncode:
        sys.exit(f"{' '.join(command)} failed:\n{done.stderr[-2000:]}")
    told: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return told


def measure(given: argparse.Namespace) -> None:
    """All that the page says."""
    scratch: Path = given.scratch
    scratch.mkdir(parents=True, exist_ok=True)
    paths = write_tables(scratch, given.rows, given.features, given.seed)
    found: dict[str, Any] = {
        "rows": given.rows,
        "features": given.features,
        "seed": given.seed,
        "load": [os.getloadavg()[0]],
        "threads": os.environ.get("OMP_NUM_THREADS", "all"),
        "processor": f"{name_processor()}, {os.cpu_count()} cores",
        **find_origin(torch.device("cpu")),
    }
    for kind, path in paths.items():
        found[kind] = {
            "bytes": path.stat().st_size,
            "read": run_child(scratch, "read", f"--path={path}"),
            "batches": run_child(scratch, "batches", f"--path={path}"),
        }
        run = scratch / f"run-{kind}"
        told = run_child(
            scratch,
            *("train", "dataset=stream", f"dataset.path={path}", f"dataset.batch_size={BATCH}"),
            *(f"seed={given.seed}", "model=somrl", "trainer=cpu", "trainer.max_epochs=1"),
            *("+trainer.enable_progress_bar=false", f"hydra.run.dir={run}"),
        )
        metrics = json.loads((run / "metrics.json").read_text())
        kept = {name: metrics[name] for name in ("step", "nodes", "clusters", "seconds")}
        found[kind]["train"] = {**told, **kept}
        found["load"].append(os.getloadavg()[0])
        path.unlink()
    write_json(KEPT, found)


def name_processor() -> str:
    """What the processor is called, where the system says."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.machine()
    return next((line.split(": ")[1] for line in lines if line.startswith("model name")), "CPU")


INTRODUCTION = """# A table larger than memory

`python -m experiments.streaming --scratch FOLDER` draws {rows:,} rows of {features} float32
features in {clusters} clusters (seed {seed}). Each cluster is concentrated in {relevant} features
of its own and spread out in the others. The rows are written as parquet (row groups of {group:,}
rows, pyarrow's default) and as npy, and read by separate processes: *plain read*, all rows as
numbers in order; *batches*, the training part in shuffled, normalised batches of {batch:,},
without learning; *training*, one pass of `python -m dcsomrl.train dataset=stream model=somrl
dataset.batch_size={batch}`. *Peak* is the largest resident memory of the process, including
Python and torch (0.9 GiB). For the training, it covers the whole run: the pass over the table
that finds the range of every feature, the training, the validation, and the assignments of all
rows. The files were in the operating system's page cache.
"""


def render(found: dict[str, Any]) -> None:
    """Write the page."""
    rows, said = [], []
    for kind in KINDS:
        part = found[kind]
        read, batches, trained = part["read"], part["batches"], part["train"]
        trained["rows"] = batches["rows"]
        for title, one in (("plain read", read), ("batches", batches), ("training", trained)):
            speed = one["rows"] / one["seconds"] / 1e3
            numbers = f"{one['rows']:,}", f"{one['seconds']:.1f}", f"{speed:,.0f} k"
            rows.append([kind, title, *numbers, f"{one['peak']:.2f}"])
        said.append(
            f"- {kind}: {part['bytes'] / 1e9:.2f} GB. The pass that finds the ranges took "
            f"{batches['scan']:.1f} s, the run as a whole {trained['wall']:.0f} s, with "
            f"{trained['step']:,} steps and the assignments of {found['rows']:,} rows to "
            f"{trained['nodes']} nodes in {trained['clusters']} clusters."
        )
    load = found["load"]
    origin = (
        f"Other processes shared the CPU (load {min(load):.1f} to {max(load):.1f}), so the seconds "
        "are upper bounds. "
        f"{found['processor']}, OMP_NUM_THREADS={found['threads']}, torch {found['torch']}, dcsomrl"
        f" {found['dcsomrl']} at {found['git_commit']}; seed {found['seed']}."
    )
    table = tabulate(["file", "what", "rows", "seconds", "rows a second", "peak, GiB"], rows)
    head = INTRODUCTION.format(
        **found, clusters=CLUSTERS, relevant=RELEVANT, group=GROUP, batch=BATCH
    )
    write_text(PAGE, "\n".join([head, table, *said, "", origin, ""]))
    print(f"page: {PAGE}")


if __name__ == "__main__":
    main(sys.argv[1:])
