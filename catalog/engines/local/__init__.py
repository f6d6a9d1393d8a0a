"""The embedded engine: detection, alignment, embedding, attributes, and a gallery in the catalogue's database."""

import os

# Unless this is set before onnxruntime is loaded, onnxruntime sends reports over the network and stores a device id in
# the home folder. Its API can switch reports off only after the first report.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"
