#!/usr/bin/env python
"""The least a CDKTF program in Python does: import the library, make an empty stack, synthesize it."""

from cdktf import App, TerraformStack

app = App()
TerraformStack(app, "empty")
app.synth()
