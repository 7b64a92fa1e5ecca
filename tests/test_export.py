"""Exported models give what predict gives, for raw samples and batches of any size."""

import json
from importlib.util import find_spec
from itertools import product

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image

from dcsomrl.commands.export import export
from dcsomrl.configuration import compose_config
from dcsomrl.data import sources
from dcsomrl.errors import ConfigError
from dcsomrl.predict import predict
from tests.conftest import SMALL

# Found and not imported, which takes seconds that every collection of the suite would pay.
LACKING = [name for name in ("onnxruntime", "onnxscript") if find_spec(name) is None]
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(bool(LACKING), reason=f"{' and '.join(LACKING)} not installed"),
]


def load_exported(path, kind):
    """A function from raw samples (batch, *shape) to what an exported model gives for them."""
    if kind == "torch":
        module = torch.export.load(path).module()
        return lambda x: {name: one.numpy() for name, one in module(x).items()}
    import onnxruntime

    session = onnxruntime.InferenceSession(path)
    names = [one.name for one in session.get_outputs()]
    return lambda x: dict(zip(names, session.run(None, {"x": x.numpy()}), strict=True))


def check(run_dir, tmp_path, x, source):
    """Compare with predict, which reads the same samples from a file or folder."""
    given = [f"ckpt={run_dir / 'checkpoints' / 'last.ckpt'}", f"input={source}"]
    output = tmp_path / "predicted.csv"
    expected = predict(compose_config("predict", [*given, f"output={output}"], tmp_path))
    models = {}
    for kind in ("onnx", "torch"):
        path = export(compose_config("export", [f"run={run_dir}", f"format={kind}"], tmp_path))
        models[kind] = load_exported(path, kind)
    for kind, n in product(models, (1, 2, 5, len(x))):
        found = models[kind](x[:n])
        assert set(found) == {"node", "cluster", "activation", "code"}
        assert found["node"].tolist() == expected["node"][:n].tolist()
        assert found["cluster"].tolist() == expected["cluster"][:n].tolist()
        np.testing.assert_allclose(found["activation"], expected["activation"][:n], rtol=1e-4)
        codes = expected.filter(like="latent_").to_numpy()[:n]
        np.testing.assert_allclose(found["code"], codes, rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize(
    "overrides",
    [
        (*SMALL, "n_clusters=4"),
        (*SMALL, "autoencoder=conv", "dataset.normalization=standard"),
        ("trainer=cpu", "trainer.max_epochs=1", "model=kmeans"),
        ("trainer=cpu", "trainer.max_epochs=1", "model=larfdssom", "autoencoder=none"),
        ("trainer=cpu", "trainer.max_epochs=1", "model=desom"),
        ("trainer=cpu", "trainer.max_epochs=1", "model=somvae"),
        ("trainer=cpu", "trainer.max_epochs=1", "autoencoder=resnet"),
    ],
    ids=["mlp", "conv", "kmeans", "larfdssom", "desom", "somvae", "resnet"],
)
def test_an_exported_model_gives_what_predict_gives(run_small, tmp_path, overrides):
    overrides = tuple(
        o for o in overrides if "hidden_dims" not in o or "autoencoder=conv" not in overrides
    )
    run_small(*overrides, small=())
    x = sources.digits().test_x
    np.save(tmp_path / "x.npy", x)
    check(tmp_path / "run", tmp_path, x, tmp_path / "x.npy")


def test_a_table_goes_in_in_its_own_units_and_with_its_gaps(run_small, tmp_path, capsys):
    rng = np.random.default_rng(0)
    rows = pd.DataFrame(rng.random((60, 3)) * [1e6, 1, 1e-3], columns=list("abc"))
    rows.loc[[3, 17], "b"] = np.nan
    rows.to_csv(tmp_path / "t.csv", index=False)
    run_small(
        *("dataset=arrays", f"dataset.path={tmp_path / 't.csv'}", "dataset.source.missing=median"),
        *("dataset.normalization=standard", "dataset.batch_size=16"),
    )
    x = torch.from_numpy(pd.read_csv(tmp_path / "t.csv").to_numpy())
    check(tmp_path / "run", tmp_path, x, tmp_path / "t.csv")
    assert "in this order, which the file holds too: a, b, c" in capsys.readouterr().out
    held = {"columns": ""}
    torch.export.load(tmp_path / "run" / "model.pt2", extra_files=held)
    assert json.loads(held["columns"]) == ["a", "b", "c"]
    import onnxruntime

    meta = onnxruntime.InferenceSession(tmp_path / "run" / "model.onnx").get_modelmeta()
    assert json.loads(meta.custom_metadata_map["columns"]) == ["a", "b", "c"]


def test_images_go_in_as_bytes(run_small, tmp_path):
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 256, (20, 8, 8), dtype=np.uint8)
    (tmp_path / "pictures").mkdir()
    for i, image in enumerate(pixels):
        Image.fromarray(image).save(tmp_path / "pictures" / f"{i:02}.png")
    run_small("dataset=images", f"dataset.path={tmp_path / 'pictures'}", "model=dcsomrl")
    x = torch.from_numpy(pixels)[:, None]
    check(tmp_path / "run", tmp_path, x, tmp_path / "pictures")


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (["run=x", "ckpt=y"], "one of them"),
        ([], "one of them"),
        (["run=x", "format=pickle"], "onnx or torch"),
    ],
)
def test_what_is_to_be_exported_must_be_clear(tmp_path, given, said):
    with pytest.raises(ConfigError, match=said):
        export(compose_config("export", given, tmp_path))
