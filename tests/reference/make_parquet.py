"""Writes parquet.json and the files of parquet/: a table as pyarrow and as polars write it, and what NumPy knows of it.

pip install numpy pyarrow polars; python make_parquet.py
"""

import json
import shutil
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

HERE = Path(__file__).parent
FOLDER = HERE / "parquet"
shutil.rmtree(FOLDER, ignore_errors=True)
FOLDER.mkdir()
rng = np.random.default_rng(11)
ROWS = 103
KINDS = ["birch", "oak", "pine"]

table = {
    "height": rng.normal(20, 5, ROWS).astype(np.float32),
    "girth": rng.normal(1, 0.3, ROWS),
    "age": rng.integers(-5, 120, ROWS).astype(np.int64),
    "ring": rng.integers(0, 256, ROWS).astype(np.uint8),
    "felled": rng.integers(0, 2, ROWS).astype(bool),
    "leaf": rng.normal(size=(ROWS, 2, 3)).astype(np.float32),
    "spectrum": rng.integers(0, 60000, (ROWS, 4)).astype(np.uint16),
    "rough": rng.normal(size=ROWS).astype(np.float16),
    "kind": np.array(KINDS)[rng.integers(0, 3, ROWS)],
    "label": rng.integers(0, 5, ROWS).astype(np.int32),
    "counts": rng.integers(0, 4, ROWS).astype(np.float32) / 2,
}


def arrow(name, numbers):
    match name:
        case "leaf":  # lists of lists, as of an image
            return pa.array(numbers.tolist(), pa.list_(pa.list_(pa.float32())))
        case "spectrum":  # one length by its type
            return pa.FixedSizeListArray.from_arrays(pa.array(numbers.flatten()), 4)
        case _:
            return pa.array(numbers)


whole = pa.table({name: arrow(name, numbers) for name, numbers in table.items()})
whole = whole.append_column("point", pa.StructArray.from_arrays([pa.array(table["height"]), pa.array(table["ring"])], ["x", "y"]))
files = {
    "snappy.parquet": {"row_group_size": 40},
    "gzip.parquet": {"row_group_size": 29, "compression": "gzip", "use_dictionary": False, "data_page_version": "2.0"},
    "lz4.parquet": {"row_group_size": 103, "compression": "lz4", "write_page_checksum": True, "data_page_size": 64},
    "plain.parquet": {"row_group_size": 50, "compression": "none", "version": "1.0"},
    "split.parquet": {
        "row_group_size": 60,
        "compression": "zstd",
        "use_dictionary": ["kind"],
        "column_encoding": {"height": "BYTE_STREAM_SPLIT", "age": "DELTA_BINARY_PACKED"},
    },
}
for name, settings in files.items():
    pq.write_table(whole, FOLDER / name, **settings)

frame = pl.DataFrame({name: numbers for name, numbers in table.items() if name not in ("leaf", "spectrum", "rough")})
frame = frame.with_columns(
    pl.Series("leaf", table["leaf"].reshape(ROWS, 6), dtype=pl.Array(pl.Float32, 6)),
    pl.Series("spectrum", table["spectrum"].tolist(), dtype=pl.List(pl.UInt16)),
    pl.Series("rough", table["rough"].astype(np.float32)),
)
frame.write_parquet(FOLDER / "polars.parquet", row_group_size=37)

# What is no table of numbers.
times = pa.array([1_700_000_000_000 + 60_000 * i for i in range(4)], pa.timestamp("ms"))
ragged = pa.table({
    "x": pa.array([1.0, 2.0, None, 4.0], pa.float32()),
    "list": pa.array([[1.0, 2.0], [3.0, 4.0], [5.0], [6.0, 7.0]], pa.list_(pa.float32())),
    "holes": pa.array([[1.0, 2.0], [3.0, None], [5.0, 6.0], []], pa.list_(pa.float64())),
    "id": pa.array([1, 2, 16_777_217, 4], pa.int64()),
    "time": times,
    "price": pa.array([1, 2, 3, 4], pa.int64()).cast(pa.decimal128(25, 2)),
    "nan": pa.array([0.5, float("nan"), float("inf"), 1e300], pa.float64()),
    "word": pa.array(["a", "b", "c", "d"]),
    "class": pa.array([0, 1, -1, 2], pa.int16()),
    "good": pa.array([1, 2, 3, 4], pa.uint32()),
})
pq.write_table(ragged, FOLDER / "ragged.parquet")
pq.write_table(ragged.slice(0, 0), FOLDER / "empty.parquet")

numbers = {name: numbers.astype(np.float32).reshape(ROWS, -1).tolist() for name, numbers in table.items() if name != "kind"}
kinds = [KINDS.index(kind) for kind in table["kind"].tolist()]
(HERE / "parquet.json").write_text(json.dumps({"rows": ROWS, "kinds": kinds, "numbers": numbers}) + "\n")
