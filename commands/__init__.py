"""The commands of this project: one folder each; `./glue-sessions` runs them by name."""
