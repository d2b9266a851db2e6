"""Seeds for the fuzz targets: `python -m sensors.native.fuzz.seeds FOLDER`.

One module a target. `made` gives the seeds that are written here or built by the tests, `recorded` those that are cut
out of a capture, each in the form that its target reads. Seeds are no part of the repository: what they come from is.
"""
