"""``compile=...``: a compiled step is the step, a training is resumed by it, failing is said."""

import json

import pytest
import torch
from torch._inductor.cpp_builder import get_cpp_compiler
from torch._inductor.exc import InvalidCxxCompiler

from dcsomrl import ConfigError, Term
from dcsomrl.checkpoints import read_checkpoint
from dcsomrl.data import Batch
from dcsomrl.losses import Reconstruction, RelevanceDistance
from dcsomrl.maps import SOMRL
from dcsomrl.models import DCSOMRL
from dcsomrl.networks import MLPAutoencoder
from tests.conftest import SMALL
from tests.networks.two_processes import TWO


def has_compiler():
    try:
        get_cpp_compiler()
    except InvalidCxxCompiler:
        return False
    return True


compiled = [
    pytest.mark.slow,
    pytest.mark.skipif(not has_compiler(), reason="torch finds no C++ compiler"),
    pytest.mark.timeout(900),
]


# In which a step and the same step compiled differ in the last digits alone; and batches as large
# as those of each of two processes, whose kernels are compiled once for all.
EXACT = ("trainer.precision=64-true", "num_threads=1", "dataset.batch_size=30")


class Branching(Term):
    """A term whose way depends on the samples, which cannot be compiled into one graph."""

    def forward(self, step):
        return step.z.mean() if step.x.sum() > 0 else step.z.square().mean()


def made(**losses):
    torch.manual_seed(0)
    terms = {"reconstruction": Reconstruction(), "clustering": RelevanceDistance(0.1), **losses}
    som = SOMRL(3, max_nodes=8, activation_threshold=0.99)
    return DCSOMRL(MLPAutoencoder((6,), 3, [4]), som, losses=terms).train()


def take_steps(model, sizes):
    """Losses of steps on batches of these sizes."""
    drawn, losses = torch.Generator().manual_seed(0), []
    optimizer = torch.optim.Adam(model.parameters(), 1e-2)
    for size in sizes:
        batch = Batch(torch.rand(size, 6, generator=drawn), None, torch.arange(size))
        optimizer.zero_grad()
        terms = model.learn_from(batch)
        terms["loss"].backward()
        optimizer.step()
        losses.append({name: float(value) for name, value in terms.items()})
    return losses


class TestCompiled:
    pytestmark = compiled

    def test_a_training_is_the_same_but_for_rounding_and_taken_up_bit_for_bit(
        self, run_small, tmp_path, caplog
    ):
        caplog.set_level("INFO", "dcsomrl")
        states, metrics = {}, {}
        for name, *overrides in (
            ("plain", ()),
            ("whole", ("compile=default",)),
            ("part", ("compile=default", "trainer.max_epochs=1"),
             ("compile=default", "ckpt_path=last")),
        ):  # fmt: skip
            for own in overrides:
                torch._dynamo.reset()
                metrics[name] = run_small(*EXACT, *own, run_dir=tmp_path / name)
            checkpoint = read_checkpoint(tmp_path / name / "checkpoints" / "last.ckpt")
            states[name] = checkpoint["state_dict"]
        assert caplog.text.count("the step was compiled") == 3
        assert states["plain"].keys() == states["whole"].keys()
        for name, value in states["whole"].items():
            assert torch.equal(value, states["part"][name]), name
            torch.testing.assert_close(value, states["plain"][name], msg=name)
        assert metrics["whole"]["purity"] == metrics["part"]["purity"]

    def test_two_processes_train_what_one_does(self, cli, run_small, tmp_path):
        settings = (*EXACT, "dataset.batch_size=60", "trainer.max_epochs=1")
        one = run_small(*settings, run_dir=tmp_path / "one")
        two = ("train", *SMALL[1:], *settings, *TWO, "compile=default")
        done = cli(*two, f"hydra.run.dir={tmp_path / 'two'}")
        assert done.returncode == 0, done.stderr
        assert "cannot be compiled" not in done.stdout + done.stderr
        metrics = json.loads((tmp_path / "two" / "metrics.json").read_text())
        assert metrics["nodes"] == one["nodes"]
        states = [
            read_checkpoint(tmp_path / name / "checkpoints" / "last.ckpt")["state_dict"]
            for name in ("one", "two")
        ]
        for name, value in states[0].items():
            torch.testing.assert_close(value, states[1][name], msg=name)


@pytest.mark.slow
def test_what_cannot_be_compiled_runs_as_it_is_after_one_sentence(caplog):
    plain, one = made(branching=Branching(0.5)), made(branching=Branching(0.5))
    one.compile_step("default", 16)
    found = take_steps(one, (16, 16, 5, 16))
    assert found == take_steps(plain, (16, 16, 5, 16))
    assert caplog.text.count("compile=default: the step cannot be compiled (Unsupported: ") == 1
    for name, value in plain.state_dict().items():
        assert torch.equal(one.state_dict()[name], value), name


@pytest.mark.slow
def test_without_a_compiler_the_step_runs_as_it_is(monkeypatch, caplog, tmp_path):
    monkeypatch.setattr("torch._inductor.config.cpp.cxx", ("/nowhere/c++",))
    monkeypatch.setenv("TORCHINDUCTOR_CACHE_DIR", str(tmp_path))  # of what was compiled before
    torch._dynamo.reset()
    one = made()
    one.compile_step("reduce-overhead", 16)
    with caplog.at_level("INFO"):
        assert take_steps(one, (16, 16)) == take_steps(made(), (16, 16))
    assert "compile=reduce-overhead is the same as compile=default on a cpu" in caplog.text
    assert caplog.text.count("the step cannot be compiled (") == 1


def test_a_mistake_in_the_step_shows_as_it_is():
    class Wrong(Term):
        def forward(self, step):
            return step.z

    one = made(wrong=Wrong())
    one.compile_step("default", 16)
    with pytest.raises(ConfigError, match="the term wrong of the loss"):
        take_steps(one, (16,))


@pytest.mark.parametrize("value", ["fast", "true", "null"])
def test_other_values_are_refused(value, run_small):
    said = f"compile must be false, default or reduce-overhead, got {value}"
    with pytest.raises(ConfigError, match=said):
        run_small(f"compile={value}")


def test_a_model_without_a_network_has_nothing_to_compile(run_small, caplog):
    run_small("compile=default", small=("trainer=cpu", "trainer.max_epochs=1", "model=somrl"))
    assert "compile=default has no effect: RelevanceMapModel trains no network" in caplog.text
