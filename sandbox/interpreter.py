"""The inside of a Glue session: Python with a live Spark. A program of its own, run by `sessions.py`.

A JSON request a line comes on standard input, `{"id": 0, "code": "…"}`; a JSON answer a line goes to the file
descriptor given as the argument: `{"spark": "3.5.4"}` when ready, then `{"id": 0, "output": {…}}`, the output being a
Glue `StatementOutput`. SIGINT cancels the statement that runs. However it hangs, it ends when its input is closed.
"""

import ast
import base64
import contextlib
import io
import json
import os
import re
import select
import signal
import sys
import traceback
from typing import Any

FIGURE_MAGIC = re.compile(r"%matplot\s+(\w+)\s*")


def main() -> None:
    """Serve until the input ends."""
    end_with_input()
    with os.fdopen(int(sys.argv[1]), "w", buffering=1) as answers:
        names = start_spark()
        answers.write(json.dumps({"spark": names["spark"].version}) + "\n")
        while line := next_line():
            request = json.loads(line)
            answers.write(json.dumps({"id": request["id"], "output": run(request["code"], names)}) + "\n")


def next_line() -> str:
    """Return the next line of input; a statement is cancelled too late if this is what gets the interrupt."""
    while True:
        with contextlib.suppress(KeyboardInterrupt):
            return sys.stdin.readline()


def end_with_input() -> None:
    """Have a second process watch the input, and kill this one and all it has started when it is closed.

    A thread would not do: a statement may hold the interpreter's lock.
    """
    if os.fork() == 0:
        os.closerange(1, 256)
        signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT, signal.SIGTERM])
        closed = select.poll()
        closed.register(0, 0)  # no event but the hang-up
        closed.poll()
        os.killpg(0, signal.SIGKILL)


def start_spark() -> dict[str, Any]:
    """Return what a Glue session starts with: `spark` and `sc`."""
    from pyspark import SparkConf
    from pyspark.sql import SparkSession

    conf = SparkConf().setAll(json.loads(os.environ["SPARK_SETTINGS"]).items())
    spark = SparkSession.builder.config(conf=conf).getOrCreate()
    spark.sparkContext.setLogLevel("ERROR")
    return {"__name__": "__main__", "spark": spark, "sc": spark.sparkContext}


def run(code: str, names: dict[str, Any]) -> dict[str, Any]:
    """Run a statement; return its output."""
    printed = io.StringIO()
    figures: list[str] = []
    names["__figure__"] = lambda name: figures.append(as_png(names[name]))
    try:
        with contextlib.redirect_stdout(printed):
            execute(FIGURE_MAGIC.sub(r"__figure__('\1')", code), names)
    except BaseException as error:  # the statement's own, an interrupt and SystemExit included
        own_frames = error.__traceback__ and error.__traceback__.tb_next and error.__traceback__.tb_next.tb_next
        return {
            "Status": "error",
            "ErrorName": type(error).__name__,
            "ErrorValue": str(error),
            "Traceback": traceback.format_exception(type(error), error, own_frames),
        }
    if figures:
        data = {"Result": figures[-1], "MimeType": "image/png;base64", "StdOut": printed.getvalue()}
    else:
        data = {"TextPlain": printed.getvalue().rstrip("\n")}
    return {"Status": "ok", "Data": data}


def execute(code: str, names: dict[str, Any]) -> None:
    """Run code as a prompt does: what its last line is worth is printed."""
    module = ast.parse(code, "<stdin>")
    last = module.body[-1] if module.body else None
    if isinstance(last, ast.Expr):
        module.body.pop()
    exec(compile(module, "<stdin>", "exec"), names)
    if isinstance(last, ast.Expr):
        value = eval(compile(ast.Expression(last.value), "<stdin>", "eval"), names)
        if value is not None:
            print(repr(value))


def as_png(pyplot: Any) -> str:
    """Return the current figure of `matplotlib.pyplot`, in base64."""
    png = io.BytesIO()
    pyplot.savefig(png, format="png")
    return base64.b64encode(png.getvalue()).decode()


if __name__ == "__main__":
    main()
