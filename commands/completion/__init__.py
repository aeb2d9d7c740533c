"""The command `completion`: the completion of command lines in bash, zsh and fish."""
