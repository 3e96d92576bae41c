"""Images in folders, TFRecord shards and tables, for tests of data that are not in memory."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image


def jpegs(folder: Path, count: int = 24, side: int = 10, classes: int = 2) -> list[tuple[str, bytes]]:
    """Writes `class/number.jpg`, brighter for higher classes.

    Returns:
        Class and content of each file, in the order in which a source reads them.
    """
    random = np.random.default_rng(0)
    for number in range(count):
        label = number % classes
        pixels = random.integers(0, 80, (side, side, 3)) + label * 150 // max(classes - 1, 1)
        path = folder / f"c{label}" / f"{number:06d}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels.astype(np.uint8)).save(path, quality=90)
    return [(path.parent.name, path.read_bytes()) for path in sorted(folder.glob("*/*.jpg"))]


def tfrecords(folder: Path, examples: list[tuple[str, bytes]], shards: int = 3) -> Path:
    """Writes the same as `data-00000-of-00003.tfrecord`, ..., with the features `image` and `label`."""
    import tensorflow as tf

    folder.mkdir(parents=True, exist_ok=True)
    size = -(-len(examples) // shards)
    for shard in range(shards):
        with tf.io.TFRecordWriter(str(folder / f"data-{shard:05d}-of-{shards:05d}.tfrecord")) as writer:
            for label, content in examples[shard * size : (shard + 1) * size]:
                features = {
                    name: tf.train.Feature(bytes_list=tf.train.BytesList(value=[value]))
                    for name, value in (("image", content), ("label", label.encode()))
                }
                example = tf.train.Example(features=tf.train.Features(feature=features))
                writer.write(example.SerializeToString())
    return folder


def parquet(path: Path, examples: list[tuple[str, bytes]], group: int = 5) -> Path:
    """Writes the same as a table with the columns `image` and `label`."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    path.parent.mkdir(parents=True, exist_ok=True)
    table = pa.table({"image": [content for _, content in examples], "label": [label for label, _ in examples]})
    pq.write_table(table, path, row_group_size=group)
    return path


def png(value: int, side: int = 4) -> bytes:
    """An encoded image of one colour."""
    content = BytesIO()
    Image.fromarray(np.full((side, side, 3), value, np.uint8)).save(content, "PNG")
    return content.getvalue()


def scene_files(folder: Path, count: int, side: int = 32) -> dict[str, Path]:
    """Writes generated scenes as `images/`, `masks/` and `boxes.csv`; returns the sources of both kinds."""
    from tfopt.backend.data.datasets._scenes import scenes_of

    made, names = scenes_of("shapes", side, count, 1, 2, 0)
    scenes = made["train"]
    lines = ["image,label,left,top,right,bottom"]
    for kind in ("images", "masks"):
        (folder / kind).mkdir(parents=True)
    for number, (image, mask) in enumerate(zip(scenes.images, scenes.masks, strict=True)):
        name = f"{number:05d}.png"
        Image.fromarray(image).save(folder / "images" / name)
        Image.fromarray(mask).save(folder / "masks" / name)
        for box, label in zip(scenes.boxes[number], scenes.labels[number], strict=True):
            lines.append(",".join(map(str, (name, names[int(label)], *np.round(np.asarray(box) * side, 2).tolist()))))
    (folder / "boxes.csv").write_text("\n".join(lines) + "\n")
    return {"masks": folder, "boxes": folder / "boxes.csv"}
