"""The embedded engine: detection, alignment, embedding, attributes, and a gallery in the catalogue's database."""

import os

# onnxruntime's wheels report to their maker over the network, and keep an id of the device in the home folder, unless
# this is set before they are loaded. Switching it off through their API comes too late for the first report.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"
