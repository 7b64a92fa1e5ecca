import pytest

from dcsomrl.app import composed
from dcsomrl.inspection import inspect
from dcsomrl.reporting.portrait import sections
from dcsomrl.train import train


@pytest.fixture(scope="package")
def trained(tmp_path_factory):
    """A short run on the digits, with its scores at every step."""
    folder = tmp_path_factory.mktemp("run")
    settings = ["trainer=cpu", "trainer.max_epochs=6", "callbacks=course"]
    settings += ["model.autoencoder.hidden_dims=[64]", "model.som.activation_threshold=0.985"]
    train(composed("train", settings, folder))
    return folder


@pytest.fixture(scope="package")
def run(trained):
    return inspect(trained)


@pytest.fixture(scope="package")
def portrait(run):
    found, page = sections(run, "pca", 0)
    return {section.name: section for section in found}, page
