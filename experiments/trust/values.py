"""What configurations are drawn from: choices of groups, and values of settings."""

from collections.abc import Sequence

# Data that a trial finds in its folder, and what is trained on each.
DATA = {
    "digits": ["+trainer.limit_train_batches=3"],
    "arrays": ["dataset.path=data/table.csv", "dataset.target=kind"],
    "images": ["dataset.path=data/images", "dataset.num_workers=0"],
    "stream": ["dataset.path=data/stream.parquet"],
    "usps": ["dataset.path=data/usps.h5"],
}
MODELS = (
    *("dcsomrl", "dcsomrl", "neighbor_somrl", "neighbor_somrl", "autoencoder", "desom", "somvae"),
    *("dec", "idec", "kmeans", "som", "somrl", "larfdssom"),
)
SHALLOW = ("kmeans", "som", "somrl", "larfdssom")
SHORT = ["trainer=cpu", "trainer.max_epochs=1", "+trainer.max_time=00:00:00:15", "num_threads=1"]
NARROW = {
    "mlp": ["model.autoencoder.hidden_dims=[8]"],
    "conv": ["model.autoencoder.channels=[4]"],
    "resnet": ["model.autoencoder.channels=[4]"],
    "pooled_conv": ["model.autoencoder.channels=[4]"],
}
OTHERS = ("optimizer@model.optimizer", "+loss@model.losses.further", "experiment", "settings")
PATHS = ("null", "run/checkpoints/last.ckpt", "run/checkpoints/best.ckpt", "data/table.csv", "none")
CHOICES: dict[str, Sequence[str]] = {
    "normalization": ("minmax", "standard", "half", "unit", "none"),
    "topology": ("rectangular", "hexagonal"),
    "repel_mode": ("none", "signed", "proportional", "radial"),
    "neighborhood_form": ("product", "quotient"),
    "distance_mode": ("spread", "drift"),
    "schedule": ("constant", "cosine"),
    "metric": ("euclidean", "cosine"),
    "precision": ("auto", "32-true", "bf16-mixed", "64-true", "16-mixed"),
    "accelerator": ("auto", "cpu", "gpu"),
    "categories": ("refuse", "ignore", "onehot"),
    "missing": ("refuse", "drop", "median"),
    "fit": ("stretch", "pad", "crop"),
    "on_error": ("refuse", "skip"),
    "separator": ("auto", "comma", "semicolon"),
    "encoding": ("utf-8", "cp1252", "utf-16"),
    "device": ("auto", "cpu", "cuda", "cuda:1"),
    "split": ("train", "val", "test"),
    "embedding": ("tsne", "pca"),
    "format": ("onnx", "torch"),
    "compile": ("false",),
}
# Files, folders and names, most of which are not fit.
PLACES: dict[str, Sequence[str]] = {
    "ckpt_path": (*PATHS, "last"),
    "init": PATHS,
    "pretrained": PATHS,
    "features": (*PATHS, "data/features.npy"),
    "cache_dir": ("null", "kept", "data/table.csv"),
    "ckpt": PATHS,
    "run": ("run", "none", "data", "[run,run]", "[]", "null", "search"),
    "input": ("data/table.csv", "data/images", "data/usps.h5", "run/metrics.json", "none", "data"),
    "output": ("null", "out.csv", "out", "data/table.csv/x", "/proc/x", "run", "a" * 300 + ".csv"),
    "folder": ("search", "run", "none", "data/table.csv"),
    "name": ("a/b", "'a b'", "5", "'ü'", "..", "a" * 300),
}
# Settings that stand in no file of conf/, and that Lightning, torch or a class takes.
FURTHER: dict[str, Sequence[str]] = {
    "trainer.max_steps": ("1", "-1", "0", "2.5"),
    "trainer.min_epochs": ("0", "1", "5", "-1"),
    "trainer.limit_val_batches": ("1", "0.5", "1.0", "0", "-1", "2.5"),
    "trainer.accumulate_grad_batches": ("1", "2", "100", "0", "1.5"),
    "trainer.gradient_clip_val": ("0", "0.5", "1e-9", "-1", "nan", "inf"),
    "trainer.gradient_clip_algorithm": ("norm", "value", "a"),
    "trainer.check_val_every_n_epoch": ("1", "2", "0", "null"),
    "trainer.val_check_interval": ("1", "0.5", "0", "2.5", "1000"),
    "trainer.log_every_n_steps": ("1", "0", "-1"),
    "trainer.detect_anomaly": ("true", "a"),
    "trainer.benchmark": ("true", "false"),
    "trainer.inference_mode": ("true", "false"),
    "trainer.profiler": ("simple", "advanced", "a"),
    "trainer.reload_dataloaders_every_n_epochs": ("0", "1", "-1"),
    "trainer.sync_batchnorm": ("true", "false"),
    "trainer.strategy": ("auto", "ddp", "a", "null"),
    "trainer.enable_progress_bar": ("false", "true"),
    "trainer.overfit_batches": ("1", "0"),
    "trainer.fast_dev_run": ("true", "false"),
    "model.optimizer.weight_decay": ("0", "0.1", "-1", "inf"),
    "model.optimizer.betas": ("[0.9,0.999]", "[0,0]", "[1,1]", "[0.9]", "a"),
    "model.optimizer.eps": ("1e-8", "0", "-1", "nan", "1e30"),
    "model.optimizer.amsgrad": ("true", "a"),
    "model.optimizer.maximize": ("true", "false"),
    "model.optimizer.foreach": ("true", "false"),
    "model.regrow": ("0.5", "0", "1", "null"),
    "model.schedule": ("cosine", "constant", "a"),
    "model.som.radius": ("0.6", "0", "-1", "inf", "1e-9"),
    "model.som.activation_threshold": ("null", "0.5"),
    "dataset.source.test_fraction": ("0.5", "0.999", "0", "1e-9"),
    "dataset.source.columns": ("[a]", "[a,b]", "[nope]", "[]"),
    "model.losses.reconstruction.every": ("1", "7", "100000", "0"),
    "callbacks.own._target_": ("dcsomrl.training.callbacks.MapUsage", "nope.Nope", "os.system"),
    "hydra.run.dir": ("out", "data/table.csv", "/proc/none", "a" * 300),
}
# Of these more means more processes or threads at once, which a shared machine is spared.
SPARED = ("devices", "num_nodes", "num_workers", "n_jobs", "num_threads")
# Of these more means more work, which is what was asked for.
WORK = ("n_init", "passes", "views", "max_epochs", "pretrain_epochs", "max_steps", "n_trials")
NUMBERS = ("0", "1", "2", "-1", "0.0", "1.0", "0.5", "0.999999", "1e-12", "100", "4294967295")
OUTSIDE = (
    *("-1", "-0.5", "1.5", "-3", "1e9", "1e30", "1e308", "inf", "-inf", "nan", "1e-300", "0"),
    *("1000000", "1000000000", "4294967296", "9223372036854775808", str(10**30), "0.1", "1e2"),
)
ODD = (
    *("null", "abc", "true", "False", "[1,2]", "[]", "{}", "''", "2.5", "ü", "'a b'", "'5'"),
    *("{a:1}", "${seed}", "${nope}", "[null]", "[nan]", "[a,[b]]", "'λ'", "-", "0x10", "1_000"),
    *("none", "None", "auto", "off", "/proc/none/x", "data/table.csv/x", "a" * 300, "..", "'~'"),
    *("[0]", "[-1]", "[1000000000]", "[8,8,8]", "[0.5,2]", "[2,1]", "[nan,1]", "[1,inf]", "1,2"),
)
SWEEPER: dict[str, Sequence[str]] = {
    "n_trials": ("1", "2", "0", "-1", "1.5", "null", "a"),
    "maximize": ("[val/nmi]", "[]", "[nope]", "val/nmi", "null", "[val/silhouette]", "[1]"),
    "minimize": ("[]", "[val/nmi]", "[val/quantization_error]", "a", "[seconds]"),
    "seeds": ("[0]", "[0,1]", "[]", "[-1]", "[a]", "0", "null", "[0,0]", "[1.5]"),
    "n_jobs": ("1", "0", "-1", "2.5", "null"),
    "max_failures": ("0", "1", "0.5", "-1", "2", "nan", "a", "null"),
    "retry_failed": ("true", "false", "a", "null"),
    "storage": ("null", "sqlite:///study.db", "nope", "5", "sqlite:////proc/none/x.db", "''"),
    "sampler.seed": ("0", "-1", "a", "1.5", "null", "4294967296"),
    "sampler": ("null", "a", "{_target_:dcsomrl.search.Grid}"),
    "params": ("{}", "null", "{model.alpha:a}", "{nope:1}", "[1]"),
}
SEARCHED = (
    *("model.alpha=interval(0.01,1)", "model.alpha=tag(log,interval(1e-3,1))", "seed=0,1"),
    *("model.som.max_nodes=int(interval(5,20))", "model.alpha=choice(0.1,-1)", "nope=1,2"),
    *("model.alpha=interval(1,0)", "model.alpha=tag(log,interval(-1,1))", "trainer.max_epochs=1,0"),
    *("model.som.life_decay=range(0,1,0.5)", "model.alpha=interval(a,b)", "model.som.radius=1,2"),
    *("dataset.normalization=choice(minmax,unit)", "model.alpha=interval(0,inf)"),
)
GIVEN = {
    "evaluate": ["ckpt=run/checkpoints/last.ckpt", "device=cpu"],
    "predict": ["ckpt=run/checkpoints/last.ckpt", "input=data/table.csv", "device=cpu"],
    "export": ["run=run", "format=torch"],
    "report": ["run=run", "embedding=pca"],
    "sensitivity": ["folder=search"],
    "benchmark": [
        *("~methods", "+methods={a:['model=kmeans']}", "datasets=[digits]", "seeds=[0]"),
        *("against=a", "common=['num_threads=1']"),
    ],
}
COMMANDS = ("evaluate", "predict", "export", "report", "sensitivity", "benchmark")
