"""Writes image_folder.json and the images of image_folder/: what Pillow reads of them.

pip install numpy pillow; python make_image_folder.py
"""

import json
import shutil
from pathlib import Path

import numpy as np
from PIL import Image

HERE = Path(__file__).parent
FOLDER = HERE / "image_folder"
shutil.rmtree(FOLDER, ignore_errors=True)
rng = np.random.default_rng(5)
HEIGHT, WIDTH = 7, 9


def smooth(*shape):
    """JPEG keeps what changes slowly."""
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH]
    waves = [127 + 100 * np.sin(0.4 * x + k + 0.1 * y) for k in range(shape[0] if shape else 1)]
    return np.stack(waves, axis=-1).round().astype(np.uint8)


images = {
    "apple/colour.png": Image.fromarray(rng.integers(0, 256, (HEIGHT, WIDTH, 3), dtype=np.uint8)),
    "apple/photo.jpg": Image.fromarray(smooth(3)),
    "pear/clear.png": Image.fromarray(rng.integers(0, 256, (HEIGHT, WIDTH, 4), dtype=np.uint8)),
    "pear/few.PNG": Image.fromarray(rng.integers(0, 256, (HEIGHT, WIDTH, 3), dtype=np.uint8)).quantize(8),
    "pear/grey.png": Image.fromarray(rng.integers(0, 256, (HEIGHT, WIDTH), dtype=np.uint8)),
}
cases = []
for name, image in images.items():
    path = FOLDER / name
    path.parent.mkdir(parents=True, exist_ok=True)
    image.save(path, **({"quality": 95, "subsampling": 0} if path.suffix == ".jpg" else {}))
    # The format counts, not the ending.
    image = Image.open(path)
    colour = image.convert("RGB")
    grey = colour.convert("L") if image.mode != "L" else image
    small = colour.resize((5, 4), Image.Resampling.BILINEAR)
    numbers = lambda image: (np.asarray(image) / 255).reshape(*np.asarray(image).shape[:2], -1).transpose(2, 0, 1).flatten().round(6).tolist()
    cases.append({"name": name, "colour": numbers(colour), "grey": numbers(grey), "small": numbers(small)})
(FOLDER / "pear" / "notes.txt").write_text("no image\n")
(HERE / "image_folder.json").write_text(json.dumps({"cases": cases}) + "\n")
