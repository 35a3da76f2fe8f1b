"""Predicts one NIfTI image with a network that `voxstream export` has written.

    pip install onnxruntime nibabel scipy
    python predict-onnx.py model.onnx imaging.nii.gz labels.nii.gz

The file brings what it needs to know as metadata. Axes are depth (to Superior), height (to Anterior), width (to Right).
"""

import json
import sys

import nibabel as nib
import numpy as np
import onnxruntime as ort
from scipy.ndimage import zoom


def prepare(image, spacing, steps):
    """The deterministic operators in front of the patch, in their order; channels first."""
    for step in steps:
        name, params = step["name"], step["params"]
        if name == "clip":
            image = np.clip(image, params["min"], params["max"])
        elif name == "resample":
            factors = np.asarray(spacing) / params["spacing"]
            image = np.stack([zoom(channel, factors, order=3, mode="nearest", grid_mode=True) for channel in image])
            spacing = params["spacing"]
        elif name == "normalize" and params["mode"] == "z-score":
            axes = (1, 2, 3) if params["perChannel"] else None
            mean, std = image.mean(axis=axes, keepdims=True), image.std(axis=axes, keepdims=True)
            image = (image - mean + 1e-6) / (std + 1e-6)
        elif name not in ("load", "orient"):
            raise SystemExit(f"this example does not know the step {name} with {params}")
    return image.astype(np.float32)


def main(model, source, target):
    session = ort.InferenceSession(model)
    about = {key.removeprefix("voxstream."): value for key, value in session.get_modelmeta().custom_metadata_map.items()}
    file = nib.load(source)
    canonical = nib.as_closest_canonical(file)
    # nibabel has x, y, z; here it is depth, height, width. Channels of a 4D file come first.
    voxels = np.asarray(canonical.dataobj, dtype=np.float32)
    volume = voxels.transpose(2, 1, 0)[None] if voxels.ndim == 3 else voxels.transpose(3, 2, 1, 0)
    spacing = canonical.header.get_zooms()[:3][::-1]

    image = prepare(volume, spacing, json.loads(about["preprocessing"]))
    # Every extent must be divisible by what the network pools.
    divisor = json.loads(about["divisor"])
    extents = image.shape[1:]
    padding = [(0, -extent % d) for extent, d in zip(extents, divisor)]
    padded = np.pad(image, [(0, 0), *padding], mode="edge")
    # The whole image at once; for large ones run windows of about["patch"] that overlap, and average the logits.
    (logits,) = session.run(None, {"image": padded[None]})
    logits = logits[0][:, : extents[0], : extents[1], : extents[2]]

    grid = volume.shape[1:]
    scale = np.divide(grid, extents)
    if any(scale != 1):
        logits = np.stack([zoom(channel, scale, order=1, mode="nearest", grid_mode=True) for channel in logits])
    labels = logits.argmax(axis=0).astype(np.uint8).transpose(2, 1, 0)
    # Back to the orientation of the file.
    there = nib.orientations.io_orientation(file.affine)
    back = nib.orientations.ornt_transform(nib.orientations.io_orientation(canonical.affine), there)
    nib.save(nib.Nifti1Image(nib.orientations.apply_orientation(labels, back), file.affine), target)
    for index, name in enumerate(json.loads(about["classes"])):
        print(f"{name}: {(labels == index).sum()} voxels")


if __name__ == "__main__":
    if len(sys.argv) != 4:
        raise SystemExit(__doc__)
    main(*sys.argv[1:])
