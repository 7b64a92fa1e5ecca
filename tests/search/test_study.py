"""A search shared by processes that die: every point once, with the values it was given."""

import math
import multiprocessing
import os
import random
import shutil
import signal
import sys
import threading
import time
from functools import partial
from pathlib import Path

import pytest
from optuna.distributions import FloatDistribution
from optuna.samplers import BruteForceSampler, CmaEsSampler, TPESampler

from dcsomrl.errors import ConfigError, DcsomrlError
from dcsomrl.search import LatinHypercube, Search
from dcsomrl.search.outcome import collect_outcome, save

pytestmark = pytest.mark.slow

SPACE = {"a": FloatDistribution(0, 1), "b": FloatDistribution(1e-3, 1, log=True)}
SPAWN = multiprocessing.get_context("spawn")
STORAGES = {"journal": None, "sqlite": "sqlite:///{}/search.db"}


def opened(folder, storage=None, sampler=None, n_trials=10, definition=None, **objectives):
    url = storage and storage.format(folder.parent)
    return Search(
        folder, SPACE, sampler or LatinHypercube(), n_trials,
        objectives or {"score": "maximize"}, definition or {"of": "a test"}, url,
    )  # fmt: skip


def work(folder: Path, storage: str | None, lifetime: float | None) -> None:
    """Do points until none is left, noting each begin; killed after ``lifetime`` seconds."""
    if lifetime is not None:
        threading.Timer(lifetime, os.kill, (os.getpid(), signal.SIGKILL)).start()
    search = opened(folder, storage)
    while claim := search.claim():
        with (folder / f"{claim.point}.begun").open("a") as file:
            file.write(f"{claim.params['a']!r}\n")
        time.sleep(random.random() / 20)
        search.succeed(claim, [{"score": claim.params["a"]}])
        (folder / f"{claim.point}.done").touch()


def run(folder, storage, lifetimes):
    processes = [SPAWN.Process(target=work, args=(folder, storage, life)) for life in lifetimes]
    for process in processes:
        process.start()
    for process in processes:
        process.join(120)
    return [process.exitcode for process in processes]


@pytest.mark.parametrize("storage", STORAGES.values(), ids=STORAGES)
def test_processes_share_a_search_and_do_no_point_twice(storage, tmp_path):
    folder = tmp_path / "search"
    assert run(folder, storage, [None] * 3) == [0] * 3
    assert all(len((folder / f"{i}.begun").read_text().splitlines()) == 1 for i in range(10))
    values = [trial.params["a"] for trial in opened(folder, storage).list_completed()]
    assert values == [point["a"] for point in LatinHypercube().make_points(SPACE, 10)]


def test_whenever_processes_are_killed_every_stratum_is_tried_once(tmp_path):
    folder = tmp_path / "search"
    opened(folder)
    began = time.monotonic()
    run(folder, None, [None])  # how long all of it takes, start of the process included
    whole = time.monotonic() - began
    folder = tmp_path / "killed"
    opened(folder)
    generator = random.Random(0)
    for _ in range(4):
        run(folder, None, [whole * generator.uniform(0.6, 1) for _ in range(2)])
    assert run(folder, None, [None]) == [0]

    search = opened(folder)
    assert search.claim() is None
    finished = search.list_finished()
    assert [trial.user_attrs["point"] for trial in finished] == list(range(10))
    assert sorted(math.floor(trial.params["a"] * 10) for trial in finished) == list(range(10))
    for point in range(10):
        begun = (folder / f"{point}.begun").read_text().splitlines()
        assert len(set(begun)) == 1, "a point taken up again has the values it had"


def test_a_point_whose_process_died_is_taken_up_again_and_given_up_in_the_end(tmp_path):
    first = opened(tmp_path).claim()
    params = first.params
    for _ in range(2):
        first.lock.release()  # as the operating system does when a process ends
        first = opened(tmp_path).claim()
        assert (first.point, first.params) == (0, params)
    first.lock.release()
    search = opened(tmp_path)
    assert search.claim().point == 1
    (dead,) = search.list_finished()
    assert dead.user_attrs["point"] == 0
    assert dead.user_attrs["error"] == "its process died"


def test_a_death_while_a_point_is_taken_up_again_does_not_lose_it(tmp_path, monkeypatch):
    claim = opened(tmp_path).claim()
    claim.lock.release()

    def die(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(Search, "_abandon", die)
        dying = opened(tmp_path)
        with pytest.raises(KeyboardInterrupt):
            dying.claim()
    del dying  # and its lock
    search = opened(tmp_path)
    assert search.list_finished() == []
    again = search.claim()
    assert (again.point, again.params) == (0, claim.params)
    search.succeed(again, [{"score": 1.0}])
    assert [trial.state.name for trial in search.study.trials] == ["FAIL", "FAIL", "COMPLETE"]


def test_an_interruption_is_no_reason_to_give_a_point_up(tmp_path):
    for _ in range(5):
        search = opened(tmp_path)
        claim = search.claim()
        assert claim.point == 0
        search.leave(claim)


def test_a_point_that_someone_works_on_is_left_to_them(tmp_path):
    mine, other = opened(tmp_path, n_trials=2), opened(tmp_path, n_trials=2)
    claims = [mine.claim(), other.claim()]
    assert [claim.point for claim in claims] == [0, 1]
    assert mine.claim() is None
    assert other.claim() is None


def test_failures_are_recorded_with_their_error_and_are_not_repeated(tmp_path):
    search = opened(tmp_path)
    search.fail(search.claim(), "RuntimeError: out of memory")
    search.succeed(search.claim(), [{"score": 1.0}, {"score": math.nan}])
    search.succeed(search.claim(), [{"score": 1.0}, {"score": 3.0}])
    states = [trial.state.name for trial in opened(tmp_path).list_finished()]
    assert states == ["FAIL", "FAIL", "COMPLETE"]
    errors = [trial.user_attrs.get("error") for trial in search.list_finished()]
    assert errors == ["RuntimeError: out of memory",
                      "an objective is not a number: score is nan", None]  # fmt: skip
    assert search.list_completed()[0].values == [2.0]
    search.check_failures(0.2)
    with pytest.raises(DcsomrlError, match=r"2 of 10 points failed.*the last: an objective"):
        search.check_failures(0.1)
    assert opened(tmp_path).claim().point == 3


def test_points_that_failed_are_tried_once_more_where_that_is_asked(tmp_path):
    search = opened(tmp_path)
    params = [search.claim() for _ in range(3)]
    for claim in params[:2]:
        search.fail(claim, "no space left on device")
    search.succeed(params[2], [{"score": 1.0}])
    assert opened(tmp_path).claim().point == 3
    with pytest.raises(DcsomrlError, match=r"2 of 10 points failed.*retry_failed=true"):
        opened(tmp_path).check_failures(0.1)

    def asked():
        return Search(
            tmp_path, SPACE, LatinHypercube(), 10, {"score": "maximize"}, {"of": "a test"},
            retry_failed=True,
        )  # fmt: skip

    # Two processes that were asked to do so share them.
    one, other = asked(), asked()
    one.check_failures(0.1)
    again, next_one = one.claim(), other.claim()
    assert [again.point, next_one.point] == [0, 1]
    assert [again.params, next_one.params] == [params[0].params, params[1].params]
    one.succeed(again, [{"score": 2.0}], commit="abc")
    other.fail(next_one, "no space left on device")
    one.check_failures(0.1)
    new = [one.claim(), other.claim()]
    assert [claim.point for claim in new] == [3, 4]
    states = {trial.user_attrs["point"]: trial.state.name for trial in one.list_finished()}
    assert states == {0: "COMPLETE", 1: "FAIL", 2: "COMPLETE"}
    points = collect_outcome(one).points.set_index("point")
    assert points.loc[0, "git_commit"] == "abc"


def test_an_objective_that_no_run_returns_is_named(tmp_path):
    search = opened(tmp_path, silhouette="maximize")
    with pytest.raises(ConfigError, match="objective silhouette is not among the results: nmi"):
        search.succeed(search.claim(), [{"nmi": 1.0}])


def test_another_search_in_the_folder_is_refused(tmp_path):
    opened(tmp_path)
    with pytest.raises(ConfigError, match="of was a test and is another"):
        opened(tmp_path, definition={"of": "another"})
    with pytest.raises(ConfigError, match="n_trials was 10 and is 11"):
        opened(tmp_path, n_trials=11)
    with pytest.raises(ConfigError, match=r"objectives was .*maximize.* and is .*minimize"):
        opened(tmp_path, score="minimize")
    with pytest.raises(ConfigError, match="highest is not minimize or maximize"):
        opened(tmp_path, score="highest")
    with pytest.raises(ConfigError, match="n_trials must be at least 1, got 0"):
        opened(tmp_path, n_trials=0)


def test_folders_of_one_name_have_searches_of_their_own_in_a_database(tmp_path, monkeypatch):
    url = f"sqlite:///{tmp_path}/search.db"
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        monkeypatch.chdir(tmp_path / name)
        search = opened(Path("search"), url)
        assert search.list_finished() == []
        search.succeed(search.claim(), [{"score": 1.0}])


@pytest.mark.parametrize("url", [None, "sqlite:///{}/search.db"])
def test_a_folder_is_one_search_however_it_is_named(url, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    url = url and url.format(tmp_path)
    search = opened(Path("search"), url)
    search.succeed(search.claim(), [{"score": 1.0}])
    again = opened(tmp_path / "search", url)
    assert len(again.list_finished()) == 1
    assert again.claim().point == 1


def test_a_sampler_keeps_its_own_seed_and_must_be_made_anew(tmp_path):
    first = [
        opened(tmp_path / str(i), sampler=partial(TPESampler, seed=seed)).claim().params
        for i, seed in enumerate((7, 7, 8))
    ]
    assert first[0] == first[1] != first[2]
    with pytest.raises(ConfigError, match=r"TPESampler is made anew.*_partial_=true"):
        opened(tmp_path / "made", sampler=TPESampler())


@pytest.mark.parametrize(
    ("sampler", "sentence"),
    [
        (CmaEsSampler, "CmaEsSampler cannot be used here: .*cmaes"),
        (BruteForceSampler, r"in place of BruteForceSampler use dcsomrl\.search\.Grid"),
        (partial(TPESampler, n_startup_trials="few"), "TPESampler cannot be used here: '<'"),
    ],
)
def test_a_sampler_that_cannot_search_leaves_no_search(sampler, sentence, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "cmaes", None)  # as where it is not installed
    with pytest.raises(ConfigError, match=sentence):
        opened(tmp_path, sampler=sampler)
    assert list(tmp_path.iterdir()) == []


def test_a_password_stays_out_of_the_sentence(tmp_path):
    with pytest.raises(ConfigError, match=r"in mongo://me:\*\*\*@host/x cannot") as caught:
        opened(tmp_path, "mongo://me:s3cret@host/x")
    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize("url", ["mongo://localhost/x", "sqlite:////no/such/folder/x.db"])
def test_a_database_that_cannot_be_opened_is_named(url, tmp_path):
    with pytest.raises(ConfigError, match=f"the search in {url} cannot be opened"):
        opened(tmp_path, url)


def test_a_journal_that_a_full_disk_cut_off_is_read_up_to_there(tmp_path):
    search = opened(tmp_path)
    search.succeed(search.claim(), [{"score": 1.0}])
    with (tmp_path / "study.journal").open("a") as file:
        file.write('{"op_code": 5, "wor')
    search = opened(tmp_path)
    assert len(search.list_completed()) == 1
    search.succeed(search.claim(), [{"score": 2.0}])
    assert len(opened(tmp_path).list_completed()) == 2


@pytest.fixture
def begun(tmp_path):
    """The folder of a search with a finished point, as the sweeper leaves it."""
    search = opened(tmp_path)
    search.succeed(search.claim(), [{"score": 1.0}])
    save(collect_outcome(search), tmp_path)
    return tmp_path


@pytest.mark.parametrize("mark", [None, b"", b"another-name", b"\xff\xfe"])
def test_a_journal_is_found_without_the_name_of_its_study(mark, begun):
    file = begun / ".search"
    name = file.read_bytes()
    file.unlink() if mark is None else file.write_bytes(mark)
    assert len(opened(begun).list_completed()) == 1
    assert file.read_bytes() == name


@pytest.mark.parametrize("journal", [None, b"", b'{"op_code"'])
def test_a_search_that_lost_its_journal_does_not_begin_anew(journal, begun):
    file = begun / "study.journal"
    file.unlink() if journal is None else file.write_bytes(journal)
    with pytest.raises(ConfigError, match=r"study\.journal does not know .* bring .*journal back"):
        opened(begun)


def test_a_search_that_lost_its_name_in_a_database_does_not_begin_anew(tmp_path):
    folder = tmp_path / "search"
    search = opened(folder, STORAGES["sqlite"])
    search.succeed(search.claim(), [{"score": 1.0}])
    save(collect_outcome(search), folder)
    (folder / ".search").unlink()
    with pytest.raises(ConfigError, match=r"bring .*\.search back"):
        opened(folder, STORAGES["sqlite"])


@pytest.mark.parametrize("moved", ["file", "folder", "replaced"])
def test_a_journal_that_is_moved_while_a_search_goes_on_is_said_and_whole(moved, tmp_path):
    folder, away = tmp_path / "search", tmp_path / "away"
    search = opened(folder)
    claim = search.claim()
    journal = folder / "study.journal"
    (folder if moved == "folder" else journal).rename(away)
    if moved == "replaced":
        journal.write_bytes(b"")
    with pytest.raises(ConfigError, match=r"study\.journal was moved or replaced"):
        search.succeed(claim, [{"score": 1.0}])
    if moved == "folder":
        shutil.rmtree(folder, ignore_errors=True)
    away.rename(folder if moved == "folder" else journal)
    claim.lock.release()
    again = opened(folder)
    assert again.claim().params == claim.params


@pytest.mark.parametrize("line", ["[]", "{}", '{"op_code": 99}', '{"op_code": 4}', "null", "\xff"])
def test_a_journal_with_a_damaged_line_is_named(line, begun):
    file = begun / "study.journal"
    first, *others = file.read_bytes().splitlines()
    file.write_bytes(b"\n".join([first, line.encode("latin-1"), *others, b""]))
    with pytest.raises(ConfigError, match=r"study\.journal cannot be opened"):
        opened(begun)


def test_a_journal_that_lost_points_begins_them_no_anew(begun):
    journal = begun / "study.journal"
    journal.write_bytes(journal.read_bytes().split(b"\n", 1)[0] + b"\n")
    with pytest.raises(ConfigError, match=r"has 1 points, and the search's .* of 0: put"):
        opened(begun)


def test_a_sampler_that_learns_is_resumed_where_it_would_be(tmp_path):
    def one(seed):
        return TPESampler(seed=seed, n_startup_trials=4)

    def search(folder, best, sittings):
        """Parameters asked for, where results are better nearer to ``best``."""
        for _ in range(sittings):
            search = opened(tmp_path / folder, sampler=one, n_trials=12)
            for _ in range(12 // sittings):
                claim = search.claim()
                search.succeed(claim, [{"score": -abs(claim.params["a"] - best)}])
        assert search.claim() is None
        return [trial.params for trial in search.list_finished()]

    whole = search("whole", 0.3, sittings=1)
    assert search("part", 0.3, sittings=3) == whole
    other = search("other", 0.9, sittings=1)
    assert other[:4] == whole[:4]
    assert other[4:] != whole[4:]
    # More points may be asked of it.
    assert opened(tmp_path / "whole", sampler=one, n_trials=13).claim().point == 12
