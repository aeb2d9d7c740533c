#!/usr/bin/env python
"""The smallest CDKTF program in Python: import the library, create an empty stack, synthesize it."""

from cdktf import App, TerraformStack

app = App()
TerraformStack(app, "empty")
app.synth()
