"""The recipe's whole journey on a local AWS, told as it goes: `python -m commands.demo`."""
