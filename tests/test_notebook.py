"""The estimators in a notebook: progress is shown, and nothing fails."""

import pytest

CELL = """
from sklearn.datasets import make_blobs
from dcsomrl import DeepSOM, GrowingSOM
x, _ = make_blobs(80, centers=3, random_state=0)
DeepSOM(verbose=True, device="cpu", max_epochs=2, hidden_dims=(8,), latent_dim=3).fit(x)
print("clusters:", GrowingSOM(verbose=True, device="cpu", max_epochs=2).fit(x).n_clusters_)
"""


@pytest.mark.slow
def test_a_notebook_shows_the_progress(tmp_path):
    nbclient = pytest.importorskip("nbclient")
    nbformat = pytest.importorskip("nbformat")
    pytest.importorskip("ipykernel")
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(CELL)])
    client = nbclient.NotebookClient(notebook, timeout=250, kernel_name="python3")
    client.execute(cwd=str(tmp_path))
    said = "".join(
        "".join(output.get("text", "") or str(output.get("data", "")))
        for output in notebook.cells[0].outputs
    )
    assert "clusters:" in said
    assert "Epoch 1" in said or "Epoch 1/1" in said
