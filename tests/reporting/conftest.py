import pytest

from dcsomrl.configuration import compose_config
from dcsomrl.reporting.page import draw_report
from dcsomrl.reporting.run_data import read_run
from dcsomrl.train import train


@pytest.fixture(scope="package")
def trained(tmp_path_factory):
    """A short run on the digits, with its scores at every step."""
    folder = tmp_path_factory.mktemp("run")
    settings = ["trainer=cpu", "trainer.max_epochs=6", "callbacks=history"]
    settings += ["model.autoencoder.hidden_dims=[64]", "model.som.activation_threshold=0.985"]
    train(compose_config("train", settings, folder))
    return folder


@pytest.fixture(scope="package")
def run(trained):
    return read_run(trained)


@pytest.fixture(scope="package")
def portrait(run):
    found, page = draw_report(run, "pca", 0)
    return {section.name: section for section in found}, page
