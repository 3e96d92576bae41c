"""The data set contract, over every built-in data set that can be had without a network."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest

from tests.support.wav_files import tone, write_wav
from tfopt.backend.data.splits import Data
from tfopt.catalog import references
from tfopt.errors import EnvironmentProblem, StageError
from tfopt.testing.datasets import DatasetContract


@pytest.fixture(scope="module")
def keras_home(shared_data: Callable[[str], Path], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A Keras cache of our own with the two data sets that lie beside the checkout."""
    home = tmp_path_factory.mktemp("keras")
    (home / "datasets" / "fashion-mnist").mkdir(parents=True)
    (home / "datasets" / "mnist.npz").symlink_to(shared_data("mnist") / "mnist.npz")
    for file in shared_data("fashion-mnist").glob("*.gz"):
        (home / "datasets" / "fashion-mnist" / file.name).symlink_to(file)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("KERAS_HOME", str(home))
        yield home


class TestDigits(DatasetContract):
    source = "digits"


class TestScenesSegmentation(DatasetContract):
    source = "scenes_segmentation"
    args = {"train": 40, "test": 10}

    def test_maps_have_the_classes_of_the_objects(self, data: Data) -> None:
        assert data.input_shape == (64, 64, 3)
        assert data.train.targets.shape[1:] == (64, 64)
        assert data.label_names == ("background", "disc", "box", "triangle", "ring", "cross")
        assert len(self.load(objects="digits").label_names or ()) == 11

    @pytest.mark.parametrize("args", [{"objects": "cats"}, {"size": 8}, {"train": 0}, {"most_objects": 1.5}])
    def test_bad_arguments_are_named(self, args: dict[str, object]) -> None:
        with pytest.raises(StageError, match=f"args.{next(iter(args))} must be"):
            self.load(**args)


class TestScenesDetection(DatasetContract):
    source = "scenes_detection"
    args = {"train": 40, "test": 10}

    def test_targets_stand_on_anchors(self, data: Data) -> None:
        assert data.anchors is not None
        anchors = len(data.anchors.boxes())
        assert {name: array.shape[1:] for name, array in data.train.targets.items()} == {
            "boxes": (anchors, 4),
            "classes": (anchors,),
        }
        assert data.num_outputs == 5
        assert (data.train.targets["classes"] > 0).any(axis=1).all()
        assert self.load(ratios=[1.0]).fingerprint != data.fingerprint

    def test_bad_anchors_are_named(self) -> None:
        with pytest.raises(StageError, match=r"args.strides.*a scale for each stride"):
            self.load(strides=[8])


@pytest.mark.tf
@pytest.mark.usefixtures("keras_home")
class TestMnist(DatasetContract):
    source = "mnist"

    def test_is_the_real_one(self, data: Data) -> None:
        assert (len(data.train), len(data.validation), len(data.test)) == (54_000, 6_000, 10_000)
        assert data.input_shape == (28, 28, 1)


@pytest.mark.tf
@pytest.mark.usefixtures("keras_home")
class TestFashionMnist(DatasetContract):
    source = "fashion_mnist"


@pytest.fixture(scope="module")
def spoken_digits(shared_data: Callable[[str], Path]) -> Iterator[Path]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SPOKEN_DIGITS", str(shared_data("fsdd")))
        yield shared_data("fsdd")


@pytest.mark.usefixtures("spoken_digits")
class TestSpokenDigits(DatasetContract):
    source = "spoken_digits"
    images = False

    def test_voices_of_the_test_split_are_heard_nowhere_else(self, data: Data) -> None:
        assert (len(data.train), len(data.validation), len(data.test)) == (2000, 500, 500)
        assert data.input_shape == (49, 40)
        assert data.preprocessing is not None


def test_spoken_digits_by_takes_from_a_folder_of_files(tmp_path: Path) -> None:
    for digit in "012":
        for speaker in ("george", "theo", "lucas"):
            for take in range(8):
                write_wav(tmp_path / "recordings" / f"{digit}_{speaker}_{take}.wav", tone(300 + 100 * take))
    spoken = references.by_name("dataset", "spoken_digits")
    parts = spoken(folder=str(tmp_path), split="takes", seconds=0.5).examples
    assert {name: len(labels) for name, (_, labels) in parts.items()} == {"train": 27, "test": 45}
    parts = spoken(folder=str(tmp_path), seconds=0.5).examples
    assert {name: len(labels) for name, (_, labels) in parts.items()} == {"train": 24, "validation": 24, "test": 24}
    with pytest.raises(StageError, match=r"test_speakers has 'anna', who speaks no recording.*george, lucas, theo"):
        spoken(folder=str(tmp_path), test_speakers=["anna"])
    with pytest.raises(StageError, match="'lucas' is a speaker of test and of validation"):
        spoken(folder=str(tmp_path), test_speakers=["lucas"])


def test_spoken_digits_without_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SPOKEN_DIGITS", raising=False)
    spoken = references.by_name("dataset", "spoken_digits")
    with pytest.raises(EnvironmentProblem, match=r"not downloaded by tfopt.*environment variable SPOKEN_DIGITS"):
        spoken()
    with pytest.raises(EnvironmentProblem, match=r"does not exist: /no/where \(args.folder\)"):
        spoken(folder="/no/where")
    monkeypatch.setenv("SPOKEN_DIGITS", str(tmp_path))
    with pytest.raises(EnvironmentProblem, match=r"neither recordings\.zip nor WAV files"):
        spoken()
    (tmp_path / "recordings.zip").write_bytes(b"no archive")
    with pytest.raises(EnvironmentProblem, match=r"recordings\.zip cannot be read"):
        spoken()


@pytest.fixture(scope="module")
def nab(shared_data: Callable[[str], Path]) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("NAB", str(shared_data("nab")))
        yield


@pytest.mark.usefixtures("nab")
class TestNab(DatasetContract):
    source = "nab"
    images = False
    targets = "inputs"

    def test_training_has_no_anomaly_and_the_test_split_has_some(self, data: Data) -> None:
        assert data.input_shape == (128, 1)
        assert data.train.anomalies is None
        assert data.test.anomalies is not None
        assert 0.1 < data.test.anomalies.mean() < 0.3


def test_a_series_that_nab_does_not_have(shared_data: Callable[[str], Path]) -> None:
    with pytest.raises(
        StageError, match=r"no series 'realKnownCause/nyc_taxis'\. Did you mean 'realKnownCause/nyc_taxi'"
    ):
        references.by_name("dataset", "nab")(folder=str(shared_data("nab")), series="realKnownCause/nyc_taxis")


@pytest.fixture(scope="module")
def texts(shared_data: Callable[[str], Path]) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CLINC150", str(shared_data("clinc150")))
        patch.setenv("TINY_SHAKESPEARE", str(shared_data("tinyshakespeare")))
        yield


@pytest.mark.usefixtures("texts")
class TestClinc150(DatasetContract):
    source = "clinc150"
    images = False
    text: ClassVar = {"tokenizer": {"kind": "word", "vocabulary_size": 500}, "length": 16}

    def test_its_own_splits_are_used(self, data: Data) -> None:
        assert (len(data.train), len(data.validation), len(data.test)) == (15_000, 3_000, 4_500)
        assert data.num_classes == 150


@pytest.mark.usefixtures("texts")
class TestTinyShakespeare(DatasetContract):
    source = "tiny_shakespeare"
    images = False
    text: ClassVar = {"task": "language_model", "tokenizer": {"kind": "char"}, "length": 64, "stride": 64}

    def test_each_target_is_the_character_that_follows(self, data: Data) -> None:
        assert (data.train.inputs[:, 1:] == data.train.targets[:, :-1]).all()


ARCHIVES = {
    "mnist": "mnist.npz",
    "fashion_mnist": "fashion-mnist/train-images-idx3-ubyte.gz",
    "cifar10": "cifar-10-batches-py.tar.gz",
    "cifar100": "cifar-100-python.tar.gz",
    "imdb": "imdb.npz",
    "reuters": "reuters.npz",
}


@pytest.mark.tf
@pytest.mark.parametrize("name", ARCHIVES)
def test_without_network_and_cache_the_file_to_put_there_is_named(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:9")
    with pytest.raises(
        EnvironmentProblem, match=rf"{ARCHIVES[name]} is not in the Keras cache.*Put the file from https://"
    ):
        references.by_name("dataset", name)()
    assert [file for file in (tmp_path / "datasets").rglob("*") if file.is_file()] == []


@pytest.mark.tf
@pytest.mark.parametrize("name", ARCHIVES)
def test_a_wrong_file_in_the_cache_is_named_and_left_alone(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    file = tmp_path / "datasets" / ARCHIVES[name]
    file.parent.mkdir(parents=True)
    file.write_bytes(b"the user's own file")
    with pytest.raises(EnvironmentProblem, match=r"is not the file that Keras publishes.*Move it away"):
        references.by_name("dataset", name)()
    assert file.read_bytes() == b"the user's own file"


@pytest.mark.tf
def test_texts_become_padded_word_ids(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import tf_keras

    from tfopt.backend.data.datasets import imdb, reuters

    for module, keras in ((imdb, tf_keras.datasets.imdb), (reuters, tf_keras.datasets.reuters)):
        calls = []

        def load_data(num_words: int, cache_dir: str, calls: list = calls) -> tuple:
            calls.append((num_words, cache_dir))
            texts = np.array([[1, 5, 9, 7], [1, 4]], dtype=object)
            return (texts, np.array([0, 1])), (texts[1:], np.array([1]))

        monkeypatch.setattr(keras, "load_data", load_data)
        monkeypatch.setattr(module, "ensure", lambda file: "the cache")
        (texts, labels), (test, _) = module.load(num_words=50, length=3)
        assert calls == [(50, "the cache")]
        assert texts.tolist() == [[5, 9, 7], [0, 1, 4]]
        assert (texts.dtype, test.shape, labels.tolist()) == (np.int32, (1, 3), [0, 1])


def test_every_built_in_is_known_here() -> None:
    assert set(references.names("dataset")) == {
        *("digits", "nab", "spoken_digits", "clinc150", "tiny_shakespeare", "scenes_segmentation", "scenes_detection"),
        *ARCHIVES,
    }


def test_cache_that_keras_would_pass_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from tfopt.backend.data.datasets import _keras_cache as keras_cache

    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    (tmp_path / "datasets").mkdir()
    (tmp_path / "datasets" / "x.npz").write_bytes(b"")
    file = keras_cache.CachedFile.of_keras("x.npz", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
    assert keras_cache.ensure(file) == str(tmp_path)
    monkeypatch.setattr(keras_cache.os, "access", lambda path, mode: False)
    with pytest.raises(EnvironmentProblem, match="cannot be written, and Keras does not read such a cache"):
        keras_cache.ensure(file)
    shutil.rmtree(tmp_path / "datasets")
