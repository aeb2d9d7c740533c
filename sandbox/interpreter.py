"""The process of a Glue session: Python with a Spark session. A separate program, run by `sessions.py`.

It reads JSON requests from standard input, one per line: `{"id": 0, "code": "…"}`. It writes JSON answers to the file
descriptor in its argument: `{"spark": "3.5.4"}` when ready, then `{"id": 0, "output": {…}}` with a Glue
`StatementOutput`. SIGINT cancels the running statement. It ends when its input closes, even if it hangs.
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
    """Serve requests until the input closes."""
    exit_when_input_closes()
    with os.fdopen(int(sys.argv[1]), "w", buffering=1) as answers:
        names = start_spark()
        answers.write(json.dumps({"spark": names["spark"].version}) + "\n")
        while line := next_line():
            request = json.loads(line)
            answers.write(json.dumps({"id": request["id"], "output": run(request["code"], names)}) + "\n")


def next_line() -> str:
    """Return the next line of input; an interrupt here is of a statement that has already ended."""
    while True:
        with contextlib.suppress(KeyboardInterrupt):
            return sys.stdin.readline()


def exit_when_input_closes() -> None:
    """Start a process that kills this one and its children when the input closes.

    A thread is not enough: a statement may hold the interpreter's lock.
    """
    if os.fork() == 0:
        os.closerange(1, 256)
        signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT, signal.SIGTERM])
        closed = select.poll()
        closed.register(0, 0)  # only reports the hang-up
        closed.poll()
        os.killpg(0, signal.SIGKILL)


def start_spark() -> dict[str, Any]:
    """Return the names that a Glue session starts with: `spark` and `sc`."""
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
    except BaseException as error:  # any error of the statement, an interrupt and SystemExit included
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
    """Run code as an interactive prompt does: print the value of the last expression."""
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
