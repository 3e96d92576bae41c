"""What is said about a model is what an independent reader finds."""

from __future__ import annotations

import pytest

from tests.support.tflite_files.metadata_reader import MODEL, read_table
from tfopt.backend.bundle.metadata.content import IDENTIFIER, ModelMeaning, TensorMeaning, metadata

IMAGE = TensorMeaning("image", "Pixels.", (32, 24), 3, (1.0, 2.0, 3.0), (4.0,), (-0.25,), (63.5,))


def read(meaning: ModelMeaning) -> dict[str, object]:
    content = metadata(meaning)
    assert content[4:8] == IDENTIFIER == b"M001"
    return read_table(content, MODEL)


def test_everything_that_is_said_is_found() -> None:
    scores = TensorMeaning("scores", labels="labels.txt")
    found = read(
        ModelMeaning("n", "é d", "1.2", "me", "MIT", [IMAGE], [scores, TensorMeaning("b")], {"vocab.txt": "Words."})
    )
    labels = {"name": "labels.txt", "description": "One label in each line, in the order of the values.", "type": 2}
    feature = {"content_properties_type": 1, "content_properties": {}}
    assert found == {
        "name": "n",
        "description": "é d",
        "version": "1.2",
        "author": "me",
        "license": "MIT",
        "min_parser_version": "1.0.0",
        "associated_files": [{"name": "vocab.txt", "description": "Words.", "type": 1}],
        "subgraph_metadata": [
            {
                "name": "n",
                "input_tensor_metadata": [
                    {
                        "name": "image",
                        "description": "Pixels.",
                        "content": {
                            "content_properties_type": 2,
                            "content_properties": {"color_space": 1, "default_size": {"width": 32, "height": 24}},
                        },
                        "process_units": [{"options_type": 1, "options": {"mean": [1, 2, 3], "std": [4]}}],
                        "stats": {"max": [63.5], "min": [-0.25]},
                    }
                ],
                "output_tensor_metadata": [
                    {"name": "scores", "content": feature, "associated_files": [labels]},
                    {"name": "b", "content": feature},
                ],
            }
        ],
    }


@pytest.mark.parametrize(("channels", "space"), [(1, 2), (3, 1)])
def test_a_grey_image_is_said_to_be_grey(channels: int, space: int) -> None:
    found = read(ModelMeaning("n", inputs=[TensorMeaning("x", image_size=(8, 8), channels=channels)]))
    (tensor,) = found["subgraph_metadata"][0]["input_tensor_metadata"]  # type: ignore[index]
    assert tensor["content"]["content_properties"]["color_space"] == space
