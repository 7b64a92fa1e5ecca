import json

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image
from pytorch_lightning import Trainer
from torch.utils.data import DataLoader, TensorDataset

from dcsomrl import DCSOMRL, SOMRL, ClusterData, MLPAutoencoder, score
from dcsomrl.configuration import compose_config
from dcsomrl.data import sources
from dcsomrl.errors import CheckpointError, ConfigError, DataError
from dcsomrl.evaluate import evaluate
from dcsomrl.export import export
from dcsomrl.loading import load
from dcsomrl.mistakes import explain
from dcsomrl.models import KMeansModel
from dcsomrl.predict import predict
from dcsomrl.report import report
from tests.conftest import read_test_split

pytestmark = pytest.mark.slow


@pytest.fixture
def trained_run(run_small, tmp_path):
    """A small run on the digits and its metrics."""
    return tmp_path / "run", run_small()


def call(task, name, tmp_path, *overrides):
    return task(compose_config(name, list(overrides), tmp_path))


@pytest.mark.parametrize("checkpoint", ["last", "best"])
def test_evaluation_of_the_test_split_repeats_the_trainings(trained_run, tmp_path, checkpoint):
    run_dir, returned = trained_run
    expected = {name: value for name, value in returned.items() if not name.startswith("val/")}
    ckpt = run_dir / "checkpoints" / f"{checkpoint}.ckpt"
    metrics = call(evaluate, "evaluate", tmp_path, f"ckpt={ckpt}", "device=cpu")
    assert metrics.keys() == expected.keys()
    assert metrics["epochs"] <= 2
    if checkpoint == "last":
        for name in metrics.keys() - {"seconds"}:
            assert metrics[name] == expected[name], name
    written = run_dir / "evaluate-digits-test"
    assert json.loads((written / "metrics.json").read_text()) == metrics
    assert len(pd.read_parquet(written / "assignments.parquet")) == 359


def test_evaluation_of_other_splits_and_datasets(trained_run, tmp_path):
    ckpt = trained_run[0] / "checkpoints" / "last.ckpt"
    val = call(evaluate, "evaluate", tmp_path, f"ckpt={ckpt}", "split=val")
    assert val["split"] == "val"
    assert val["nmi"] == trained_run[1]["val/nmi"]
    last = pd.read_csv(trained_run[0] / "metrics.csv").iloc[-1]
    assert val["purity"] == pytest.approx(last["val/purity"])
    assert val["quantization_error"] == pytest.approx(last["val/quantization_error"], rel=1e-5)
    digits = sources.digits()
    np.savez(tmp_path / "again.npz", x=digits.test_x, y=digits.test_y)
    other = call(
        evaluate,
        "evaluate",
        tmp_path,
        f"ckpt={ckpt}",
        "dataset=arrays",
        f"dataset.path={tmp_path / 'again.npz'}",
        "dataset.batch_size=8",
        "dataset.source.test_fraction=0.5",
        f"output={tmp_path / 'there'}",
    )
    assert other["dataset"] == "again"
    assert (tmp_path / "there" / "metrics.json").exists()
    np.savez(tmp_path / "wide.npz", x=np.zeros((50, 7)))
    with pytest.raises(DataError, match=r"shape \(7,\), but the model was trained on \(1, 8, 8\)"):
        call(
            evaluate,
            "evaluate",
            tmp_path,
            f"ckpt={ckpt}",
            "dataset=arrays",
            f"dataset.path={tmp_path / 'wide.npz'}",
            "dataset.batch_size=8",
        )
    with pytest.raises(CheckpointError, match="no checkpoint at"):
        call(evaluate, "evaluate", tmp_path, "ckpt=none.ckpt")


@pytest.mark.parametrize("suffix", ["parquet", "csv"])
def test_predictions_for_a_file_are_the_models_own(trained_run, tmp_path, suffix):
    run_dir, _ = trained_run
    ckpt = run_dir / "checkpoints" / "last.ckpt"
    x = sources.digits().test_x
    np.save(tmp_path / "x.npy", x)
    output = tmp_path / f"out.{suffix}"
    call(
        predict,
        "predict",
        tmp_path,
        f"ckpt={ckpt}",
        f"input={tmp_path / 'x.npy'}",
        f"output={output}",
    )
    table = pd.read_csv(output) if suffix == "csv" else pd.read_parquet(output)
    assigned = read_test_split(run_dir)
    assert (table["node"] == assigned["node"]).all()
    assert (table["cluster"] == assigned["cluster"]).all()
    np.testing.assert_allclose(table["activation"], assigned["activation"], rtol=1e-5)
    trained = load(ckpt)
    codes = trained.model.encode(trained.data.transform(x)).detach().numpy()
    found = table[[f"latent_{i}" for i in range(5)]].to_numpy()
    np.testing.assert_allclose(found, codes, rtol=1e-4, atol=1e-6)


def test_predictions_for_a_folder_name_the_images(trained_run, tmp_path):
    ckpt = trained_run[0] / "checkpoints" / "last.ckpt"
    x = (sources.digits().test_x[:5] * 255).to(torch.uint8)
    folder = tmp_path / "pictures"
    folder.mkdir()
    for i, image in enumerate(x[:, 0].numpy()):
        Image.fromarray(image).save(folder / f"{i}.png")
    output = tmp_path / "out.parquet"
    call(predict, "predict", tmp_path, f"ckpt={ckpt}", f"input={folder}", f"output={output}")
    table = pd.read_parquet(output)
    assert list(table["sample"]) == [f"{i}.png" for i in range(5)]
    assigned = read_test_split(trained_run[0])
    assert (table["node"] == assigned["node"][:5]).mean() >= 0.8


def test_inputs_of_another_shape_or_ending_are_refused(trained_run, tmp_path):
    ckpt = trained_run[0] / "checkpoints" / "last.ckpt"
    np.save(tmp_path / "x.npy", np.zeros((4, 7)))
    with pytest.raises(DataError, match=r"shape \(7,\), but the model was trained on \(1, 8, 8\)"):
        call(predict, "predict", tmp_path, f"ckpt={ckpt}", f"input={tmp_path / 'x.npy'}")
    with pytest.raises(DataError, match=r"must end in \.parquet or \.csv"):
        call(predict, "predict", tmp_path, f"ckpt={ckpt}", "input=x.npy", "output=out.txt")


def table_of(n=60, seed=0):
    """Two features of very different size, and a word a row."""
    rows = np.random.default_rng(seed)
    columns = {"small": rows.random(n), "large": 100 + 50 * rows.random(n)}
    return pd.DataFrame(columns | {"kind": np.where(columns["small"] > 0.5, "up", "down")})


def trained_on_a_table(run_small, tmp_path):
    table_of().to_csv(tmp_path / "train.csv", index=False)
    path = f"dataset.path={tmp_path / 'train.csv'}"
    run_small("dataset=arrays", path, "dataset.target=kind", "dataset.batch_size=16")
    return tmp_path / "run" / "checkpoints" / "last.ckpt"


def test_predictions_for_a_table_go_by_the_names_of_its_columns(run_small, tmp_path):
    ckpt = trained_on_a_table(run_small, tmp_path)
    new = table_of(seed=1)

    def predicted(table, name):
        table.to_csv(tmp_path / name, index=False)
        output = tmp_path / f"out-{name}"
        inputs = [f"ckpt={ckpt}", f"input={tmp_path / name}", f"output={output}"]
        return call(predict, "predict", tmp_path, *inputs)

    plain = predicted(new.drop(columns="kind"), "plain.csv")
    assert plain["latent_0"].nunique() > 1
    for name, table in {
        "labels.csv": new,
        "turned.csv": new[["large", "kind", "small"]],
        "more.csv": new.assign(note="x")[["note", "large", "small"]],
    }.items():
        pd.testing.assert_frame_equal(predicted(table, name), plain)
    with pytest.raises(DataError, match=r"less\.csv lacks columns .*: large"):
        predicted(new[["small"]], "less.csv")
    with pytest.raises(
        DataError, match=r"not numbers: small \(text, 'x' in line 2\); make them numbers$"
    ):
        predicted(new.assign(small="x"), "words.csv")


def test_evaluation_of_another_table_goes_by_the_names_of_its_columns(run_small, tmp_path):
    ckpt = trained_on_a_table(run_small, tmp_path)

    def scored(table, name):
        table.to_csv(tmp_path / name, index=False)
        path = f"dataset.path={tmp_path / name}"
        data = ["dataset=arrays", path, "dataset.target=kind", "dataset.batch_size=16"]
        folder = tmp_path / name.removesuffix(".csv")
        scores = call(evaluate, "evaluate", tmp_path, f"ckpt={ckpt}", f"output={folder}", *data)
        return scores["quantization_error"], pd.read_parquet(folder / "assignments.parquet")

    error, assignments = scored(table_of(seed=1), "same.csv")
    turned = table_of(seed=1).assign(other=1.0)[["other", "large", "kind", "small"]]
    again, repeated = scored(turned, "turned.csv")
    assert again == error
    pd.testing.assert_frame_equal(repeated, assignments)
    with pytest.raises(DataError, match="lacks columns that the model was trained on: small"):
        scored(turned.drop(columns="small"), "less.csv")


def test_a_run_and_its_data_can_be_moved(run_small, tmp_path):
    ckpt = trained_on_a_table(run_small, tmp_path)
    (tmp_path / "else").mkdir()
    run = (tmp_path / "run").rename(tmp_path / "else" / "run")
    old = next(tmp_path.glob("*.csv"))
    new = old.rename(tmp_path / "else" / "renamed.csv")
    ckpt = run / "checkpoints" / ckpt.name
    missing = rf"is not at {old}: say where it lies now by dataset\.path"
    with pytest.raises(DataError, match=rf"{missing}, or name others by dataset=\.\.\.$"):
        call(evaluate, "evaluate", tmp_path, f"ckpt={ckpt}")
    with pytest.raises(DataError, match=rf"{missing}$"):
        call(report, "report", tmp_path, f"run={run}")
    wrong = tmp_path / "wrong.csv"
    for table, said in (
        (table_of().drop(columns="kind"), r"has no column kind; it has small, large"),
        (table_of().drop(columns="small"), "lacks columns that the model was trained on: small"),
        (table_of(seed=5), "the model was trained on: give back the data of the training"),
    ):
        table.to_csv(wrong, index=False)
        sentence = rf"^{wrong} does not hold the data of the training, which lay at {old} "
        with pytest.raises(DataError, match=rf"{sentence}\(.*{said}[^:]*\): say .* dataset\.path$"):
            call(report, "report", tmp_path, f"run={run}", f"dataset.path={wrong}")
    given = json.loads((run / "metrics.json").read_text())
    scores = call(evaluate, "evaluate", tmp_path, f"ckpt={ckpt}", f"dataset.path={new}")
    assert scores["quantization_error"] == given["quantization_error"]
    page = call(report, "report", tmp_path, f"run={run}", f"dataset.path={new}", "embedding=pca")
    assert page.is_file()


def test_a_test_split_that_moved_with_its_data_is_found(run_small, tmp_path):
    rng = np.random.default_rng(0)
    old, new = tmp_path / "old", tmp_path / "new"
    (old / "parts").mkdir(parents=True)
    for name in ("a.csv", "parts/b.csv"):
        pd.DataFrame(rng.random((60, 4)), columns=list("wxyz")).to_csv(old / name, index=False)
    paths = [f"dataset.path={old / 'a.csv'}", f"dataset.source.test_path={old / 'parts' / 'b.csv'}"]
    given = run_small("dataset=arrays", *paths, "dataset.val_fraction=0")
    old.rename(new)
    ckpt = f"ckpt={tmp_path / 'run' / 'checkpoints' / 'last.ckpt'}"
    again = [ckpt, f"dataset.path={new / 'a.csv'}"]
    scores = call(evaluate, "evaluate", tmp_path, *again)
    assert scores["quantization_error"] == given["quantization_error"]
    (new / "parts" / "b.csv").unlink()
    with pytest.raises(DataError, match=r"or lay it where it lay beside .*new/a\.csv"):
        call(evaluate, "evaluate", tmp_path, *again)


def test_lightnings_own_calls_work_on_our_models():
    torch.manual_seed(0)
    data = ClusterData(sources.digits, "digits", batch_size=64)

    def make():
        return DCSOMRL(MLPAutoencoder((1, 8, 8), 8, [32]), SOMRL(8, activation_threshold=0.999))

    model = make()
    trainer = Trainer(accelerator="cpu", logger=False, max_epochs=2, enable_checkpointing=False,
                      enable_progress_bar=False)  # fmt: skip
    trainer.fit(model, datamodule=data)
    expected, assigned = score(model, data.split_dataloader("test"), data.num_classes)
    (tested,) = trainer.test(model, datamodule=data, verbose=False)
    for name in ("nmi", "purity", "quantization_error", "nodes_used"):
        assert tested[f"test/{name}"] == pytest.approx(expected[name], rel=1e-5)
    parts = trainer.predict(model, datamodule=data)
    node = torch.cat([part["node"] for part in parts])
    assert node.tolist() == assigned["node"].tolist()
    found = model(data.normalize(data.arrays.test_x))
    assert found.winner.tolist() == assigned["node"].tolist()


def make_quiet_trainer():
    return Trainer(accelerator="cpu", logger=False, max_epochs=1, enable_checkpointing=False,
                   enable_progress_bar=False, num_sanity_val_steps=0)  # fmt: skip


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.float16])
@pytest.mark.parametrize("with_labels", [False, True])
def test_lightnings_own_calls_take_loaders_of_tensors(with_labels, dtype):
    torch.manual_seed(0)
    x = torch.rand(50, 6).to(dtype)
    given = TensorDataset(x, torch.arange(50)) if with_labels else x
    loader = DataLoader(given, batch_size=20)
    model = DCSOMRL(MLPAutoencoder((6,), 3, [8]), SOMRL(3, activation_threshold=0.99))
    trainer = make_quiet_trainer()
    trainer.fit(model, loader, loader)
    (validated,) = trainer.validate(model, loader, verbose=False)
    (tested,) = trainer.test(model, loader, verbose=False)
    parts = trainer.predict(model, loader)
    found = model.eval()(x.float())
    assert torch.equal(torch.cat([part["node"] for part in parts]), found.winner)
    assert set(torch.cat([part["index"] for part in parts]).tolist()) == {-1}
    assert tested["test/nodes_used"] == len(found.winner.unique())
    assert "test/nmi" not in tested
    assert validated["val/loss"] > 0


@pytest.mark.parametrize(
    ("samples", "said"),
    [
        (torch.zeros(8, 6, dtype=torch.uint8), r"is torch\.uint8 of shape \(8, 6\): give samples"),
        (torch.zeros(8), r"is torch\.float32 of shape \(8,\)"),
        ([{"x": torch.zeros(6)}] * 8, "is dict: give samples"),
    ],
)
def test_a_loader_without_samples_is_refused(samples, said):
    model = DCSOMRL(MLPAutoencoder((6,), 3, [8]), SOMRL(3))
    with pytest.raises(DataError, match=said):
        make_quiet_trainer().predict(model, DataLoader(samples, batch_size=8))


def test_a_model_that_asks_for_all_samples_says_so_to_a_loader():
    with pytest.raises(ConfigError, match="datamodule=ClusterData"):
        make_quiet_trainer().fit(
            KMeansModel((6,), n_clusters=3), DataLoader(torch.rand(20, 6), batch_size=10)
        )


def test_a_checkpoint_of_a_plain_trainer_loads(tmp_path):
    def parts():
        return {"autoencoder": MLPAutoencoder((1, 8, 8), 8, [32]), "som": SOMRL(8)}

    data = ClusterData(sources.digits, "digits", batch_size=64)
    trainer = Trainer(accelerator="cpu", logger=False, max_epochs=1, enable_checkpointing=False,
                      enable_progress_bar=False)  # fmt: skip
    model = DCSOMRL(**parts())
    trainer.fit(model, datamodule=data)
    trainer.save_checkpoint(tmp_path / "plain.ckpt")
    loaded = DCSOMRL.load_from_checkpoint(tmp_path / "plain.ckpt", **parts())
    torch.testing.assert_close(loaded.state_dict(), model.cpu().state_dict())
    with pytest.raises(CheckpointError, match="load_from_checkpoint"):
        load(tmp_path / "plain.ckpt")


def test_the_input_may_be_written_otherwise_than_the_training(run_small, tmp_path, capsys):
    rows = np.random.default_rng(0).random((60, 3)).round(3)
    table = pd.DataFrame(rows, columns=list("abc"))
    table.to_csv(tmp_path / "t.csv", index=False)
    run_small("dataset=arrays", f"dataset.path={tmp_path / 't.csv'}", "dataset.batch_size=16")
    given = (f"ckpt={tmp_path / 'run' / 'checkpoints' / 'last.ckpt'}", f"output={tmp_path}/p.csv")
    plain = call(predict, "predict", tmp_path, *given, f"input={tmp_path / 't.csv'}")
    other = tmp_path / "other.csv"
    other.write_text("A title\n" + table.to_csv(index=False, sep=";", decimal=","))
    source = ("source.skip_lines=1", "source.decimal=comma")
    again = call(predict, "predict", tmp_path, *given, f"input={other}", *source)
    pd.testing.assert_frame_equal(plain, again)
    table.loc[[4, 8], "b"] = np.nan
    table.to_csv(other, index=False)
    few = call(predict, "predict", tmp_path, *given, f"input={other}", "source.missing=drop")
    assert few["sample"].tolist() == [i for i in range(60) if i not in (4, 8)]
    with pytest.raises(DataError, match="needs a training with it"):
        call(predict, "predict", tmp_path, *given, f"input={other}", "source.missing=median")
    capsys.readouterr()
    call(predict, "predict", tmp_path, *given, f"input={tmp_path / 't.csv'}", "n_clusters=1000")
    assert "warning: 1000 clusters were asked for, and the nodes give" in capsys.readouterr().out


def test_what_is_said_of_a_table_names_what_the_command_has(run_small, tmp_path, cli):
    named = table_of().drop(columns="kind").assign(id=[f"s{i}" for i in range(60)])
    named.to_csv(tmp_path / "t.csv", index=False)
    own = ("dataset=arrays", f"dataset.path={tmp_path / 't.csv'}", "dataset.batch_size=16")
    run_small(*own)
    ckpt = f"ckpt={tmp_path / 'run' / 'checkpoints' / 'last.ckpt'}"
    said = "t.csv: column id names the rows and is not a feature"
    for done in (cli("predict", ckpt, "input=t.csv"), cli("evaluate", ckpt)):
        assert done.returncode == 0, done.stderr
        lines = [line for line in done.stdout.splitlines() if said in line]
        assert len(lines) == 2  # in the log, and in the summary
        assert all(line.endswith(said) for line in lines), lines
    done = cli("evaluate", ckpt, *own, f"output={tmp_path / 'other'}")
    lines = [line for line in done.stdout.splitlines() if said in line]
    assert len(lines) == 2
    assert all("; set dataset.source.columns to use it" in line for line in lines), lines


def test_a_table_is_no_picture(trained_run, tmp_path):
    ckpt = trained_run[0] / "checkpoints" / "last.ckpt"
    (tmp_path / "t.csv").write_text("a,b\n1,x\n2,y\n")
    with pytest.raises(DataError, match=r"t\.csv is a table, but the model was trained on images"):
        call(predict, "predict", tmp_path, f"ckpt={ckpt}", f"input={tmp_path / 't.csv'}")


@pytest.mark.parametrize("device", ["cuda:77", "nonsense", "cpu:x"])
def test_a_device_that_is_not_there_is_refused(trained_run, tmp_path, device):
    ckpt = trained_run[0] / "checkpoints" / "last.ckpt"
    with pytest.raises(ConfigError, match=f"device {device} cannot be used here"):
        call(evaluate, "evaluate", tmp_path, f"ckpt={ckpt}", f"device={device}")


def test_rows_of_predictions_join_with_those_of_the_training(run_small, tmp_path):
    rows = np.random.default_rng(0).random((60, 3))
    pd.DataFrame(rows, columns=["x", "y", "latent_0"]).to_csv(tmp_path / "t.csv", index=False)
    data = ("dataset=arrays", f"dataset.path={tmp_path / 't.csv'}", "dataset.batch_size=32")
    run_small(*data)
    ckpt, output = (tmp_path / name for name in ("run/checkpoints/last.ckpt", "p.parquet"))
    given = [f"ckpt={ckpt}", f"input={tmp_path / 't.csv'}", f"output={output}"]
    call(predict, "predict", tmp_path, *given)
    assigned = pd.read_parquet(tmp_path / "run" / "assignments.parquet")
    joined = assigned.merge(pd.read_parquet(output), left_on="row", right_on="sample")
    assert len(joined) == 60
    assert (joined["node_x"] == joined["node_y"]).all()
    for name in ("latent_0", "membership_3", "sample"):
        with pytest.raises(DataError, match=f"results have a column {name} of their own"):
            call(predict, "predict", tmp_path, *given, f"keep=[{name}]")
        with pytest.raises(DataError, match=f"{name} of their own.*dataset.source.keep"):
            run_small(*data, f"dataset.source.keep=[{name}]", run_dir=tmp_path / "kept")


@pytest.mark.parametrize("kept", ["my note", "[my note]", "7", "[7]", "0", "[my note,7,0]"])
@pytest.mark.parametrize("named_by", ["the training", "the command"])
def test_columns_are_kept_by_a_name_or_a_list_of_them(run_small, tmp_path, kept, named_by):
    rows = pd.DataFrame(np.random.default_rng(0).random((40, 3)), columns=["a", "b", "c"])
    rows.assign(**{"my note": "n", "7": "m", "0": "o"}).to_csv(tmp_path / "t.csv", index=False)
    data = ("dataset=arrays", f"dataset.path={tmp_path / 't.csv'}", "dataset.source.header=true")
    of_training = [f"dataset.source.keep={kept}"] if named_by == "the training" else []
    columns = "dataset.source.columns=[a,b]"
    run_small(
        *data, columns, "model=somrl", *of_training, small=("trainer=cpu", "trainer.max_epochs=1")
    )
    ckpt, output = (tmp_path / name for name in ("run/checkpoints/last.ckpt", "p.csv"))
    given = [f"ckpt={ckpt}", f"input={tmp_path / 't.csv'}", f"output={output}"]
    call(predict, "predict", tmp_path, *given, *([] if of_training else [f"keep={kept}"]))
    expected = kept.strip("[]").split(",")
    assert pd.read_csv(output).columns[1 : 1 + len(expected)].tolist() == expected


@pytest.mark.parametrize(
    ("task", "given", "output"),
    [
        (predict, "ckpt={run}/checkpoints/last.ckpt input=x.npy", "{file}/x.csv"),
        (predict, "ckpt={run}/checkpoints/last.ckpt input=x.npy", "{folder}"),
        (evaluate, "ckpt={run}/checkpoints/last.ckpt", "{file}"),
        (export, "run={run} format=torch", "{file}/m.pt2"),
        (report, "run={run}", "{file}"),
    ],
    ids=["predict", "predict into a folder", "evaluate", "export", "report"],
)
def test_an_output_that_cannot_be_written_is_refused_before_any_compute(
    trained_run, tmp_path, monkeypatch, task, given, output
):
    (tmp_path / "file").touch()
    (tmp_path / "folder.csv").mkdir()
    places = {"run": trained_run[0], "file": tmp_path / "file", "folder": tmp_path / "folder.csv"}
    overrides = [*given.format(**places).split(), f"output={output.format(**places)}"]
    for name in (
        "predict.read_samples",
        "evaluate.score",
        "export.take_raw_samples",
        "report.draw_report",
    ):
        monkeypatch.setattr(f"dcsomrl.commands.{name}", None)
    with pytest.raises(OSError, match=r"Not a directory|File exists|Is a directory") as caught:
        call(task, task.__name__, tmp_path, *overrides)
    assert "cannot be read or written" in str(explain(caught.value, task.__name__, []))
