"""The same training as on other processors, and with sums in an order that all of them have.

``make train``'s run on the digits, with two seeds, with the instruction sets of torch, MKL
and oneDNN restricted to those of older processors, on one thread and on two; and each of
these again with the settings that are documented to fix the order of sums. Scores and a
digest of the assignments show what differs. Other programs were running, so seconds vary.
"""

import hashlib
import json
import os
import platform
import subprocess
import sys
import tempfile
from itertools import product
from pathlib import Path

import pandas as pd

from experiments.runs import format_spread
from experiments.trust.trials import Trial, read_trials, run_trials

PROCESSORS = {
    "as it is": {},
    "AVX2": {
        "ATEN_CPU_CAPABILITY": "avx2",
        "MKL_ENABLE_INSTRUCTIONS": "AVX2",
        "ONEDNN_MAX_CPU_ISA": "AVX2",
    },
    "SSE4.2": {
        "ATEN_CPU_CAPABILITY": "default",
        "MKL_ENABLE_INSTRUCTIONS": "SSE4_2",
        "ONEDNN_MAX_CPU_ISA": "SSE41",
    },
}
FIXED = {
    "MKL_CBWR": "COMPATIBLE",
    "ATEN_CPU_CAPABILITY": "default",
    "ONEDNN_MAX_CPU_ISA": "SSE41",
}
CASES = list(product((False, True), PROCESSORS, (1, 2), (0, 1)))
SCORES = ("purity", "nmi", "nodes_used", "clusters", "cluster_accuracy")


def run() -> None:
    """Train in every case that has not been tried."""
    run_trials("machines", range(len(CASES)), train)


def train(number: int) -> Trial:
    """Train as on a processor of a case; says scores, a digest and the time of the training."""
    fixed, processor, threads, seed = CASES[number]
    environment = {**os.environ, **PROCESSORS[processor], **(FIXED if fixed else {})}
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "dcsomrl.train", "model=neighbor_somrl", f"seed={seed}"]
        command += [f"num_threads={threads}", "trainer=cpu", f"hydra.run.dir={folder}"]
        command += ["dataset.neighbors.cache_dir=null"]  # each finds its own
        environment["OMP_NUM_THREADS"] = str(threads)
        subprocess.run(command, check=True, env=environment, capture_output=True)
        metrics = json.loads((Path(folder) / "metrics.json").read_text())
        table = pd.read_parquet(Path(folder) / "assignments.parquet")
    nodes = hashlib.sha256(table["node"].to_numpy().tobytes()).hexdigest()[:8]
    return {
        **{"processor": processor, "threads": threads, "seed": seed, "fixed": fixed},
        **{name: metrics[name] for name in SCORES},
        **{"digest": nodes, "training_seconds": round(metrics["seconds"], 1)},
        **{"chip": _find_chip(), "python": platform.python_version()},
    }


def _find_chip() -> str:
    """What the processor calls itself; empty where it cannot be read."""
    file = Path("/proc/cpuinfo")
    lines = file.read_text().splitlines() if file.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()


def describe() -> str:
    """The part of the page."""
    trials = read_trials("machines")
    lines = [
        "## Differences between processors",
        "",
        __doc__.split("\n\n", 1)[1].strip().replace("\n", " ")
        + f" The processor: {', '.join(sorted({one['chip'] for one in trials}))}.",
        "",
        "| order of sums | instructions | threads | seed | purity | NMI | nodes | clusters | "
        "digest | seconds |",
        "| --- " * 10 + "|",
    ]
    lines += [
        f"| {'fixed' if one['fixed'] else 'free'} | {one['processor']} | {one['threads']} | "
        f"{one['seed']} | {one['purity']:.3f} | {one['nmi']:.3f} | {one['nodes_used']} | "
        f"{one['clusters']} | `{one['digest']}` | {one['training_seconds']} |"
        for one in trials
    ]
    return "\n".join([*lines, "", *_summarise(trials), ""])


def _summarise(trials: list[Trial]) -> list[str]:
    """How many results differ, and what fixing costs."""
    said = []
    for fixed in (False, True):
        own = [one for one in trials if one["fixed"] is fixed]
        if not own:
            continue
        digests = {seed: {one["digest"] for one in own if one["seed"] == seed} for seed in (0, 1)}
        seconds = format_spread((one["training_seconds"] for one in own), 1)
        purity = format_spread(one["purity"] for one in own)
        order = "a fixed" if fixed else "free"
        said.append(
            f"With sums in {order} order, the {len(own)} trainings give {len(digests[0])} "
            f"different results for seed 0 and {len(digests[1])} for seed 1, with a purity of "
            f"{purity}, in {seconds} seconds."
        )
    return said
