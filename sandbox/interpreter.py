"""The process of a Glue session: Python with a Spark session. A separate program, run by `sessions.py`.

It reads JSON requests from standard input, one per line: `{"id": 0, "code": "…"}`. It writes JSON answers to the file
descriptor in its argument: `{"spark": "3.5.4"}` when ready, then `{"id": 0, "output": {…}}` with a Glue
`StatementOutput`. SIGINT cancels the running statement. It ends when its input closes, even if it hangs. Statements and
their children have an empty standard input.

Statements run as Apache Livy runs them, on which Glue's interactive sessions are built: `fake_shell.py` of Livy 0.8
(https://github.com/apache/incubator-livy/blob/master/repl/src/main/resources/fake_shell.py).
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
import subprocess
import sys
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TextIO


class UnknownMagicError(Exception):
    """A line begins with `%`, and no magic of a session has this name."""


def main() -> None:
    """Serve requests until the input closes."""
    requests = os.fdopen(os.dup(0))
    exit_when_closed(requests.fileno())
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    sys.stdin = io.StringIO()
    with os.fdopen(int(sys.argv[1]), "w", buffering=1) as answers:
        names = start_spark()
        answers.write(json.dumps({"spark": names["spark"].version}) + "\n")
        notice = os.environ["SESSION_NOTICE"]
        while line := next_line(requests):
            request = json.loads(line)
            output = run(request["code"], names, notice)
            if output["Status"] == "ok":
                notice = ""
            answers.write(json.dumps({"id": request["id"], "output": output}) + "\n")


def next_line(requests: TextIO) -> str:
    """Return the next line of input; an interrupt here is of a statement that has already ended."""
    while True:
        with contextlib.suppress(KeyboardInterrupt):
            return requests.readline()


def exit_when_closed(requests: int) -> None:
    """Start a process that kills this one and its children when the other end of a file descriptor closes.

    A thread is not enough: a statement may hold the interpreter's lock.
    """
    if os.fork() == 0:
        os.dup2(requests, 0)
        os.closerange(1, 256)
        signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT, signal.SIGTERM])
        closed = select.poll()
        closed.register(0, 0)  # only reports the hang-up
        closed.poll()
        os.killpg(0, signal.SIGKILL)


def start_spark() -> dict[str, Any]:
    """Return the names that a Glue session starts with: `spark` and `sc`.

    Of the arguments of CreateSession, it honors `--conf`, `--extra-py-files` and `--additional-python-modules`.
    Source: AWS Glue developer guide, "Using job parameters in AWS Glue jobs".
    """
    arguments = json.loads(os.environ["SESSION_ARGUMENTS"])
    install_modules(listed(arguments.get("--additional-python-modules", "")))

    from pyspark import SparkConf
    from pyspark.sql import SparkSession

    settings = [*json.loads(os.environ["SPARK_SETTINGS"]).items(), *spark_settings(arguments.get("--conf", ""))]
    spark = SparkSession.builder.config(conf=SparkConf().setAll(settings)).getOrCreate()
    spark.sparkContext.setLogLevel("ERROR")
    for address in listed(arguments.get("--extra-py-files", "")):
        spark.sparkContext.addPyFile(address)
    return {"__name__": "__main__", "spark": spark, "sc": spark.sparkContext}


def listed(names: str) -> list[str]:
    """Return the names of a list with commas."""
    return [name.strip() for name in names.split(",") if name.strip()]


def spark_settings(text: str) -> Iterator[tuple[str, str]]:
    """Yield the settings of `--conf`: `a=b --conf c=d`."""
    for setting in re.split(r"\s+--conf\s+", text.strip()):
        if setting:
            key, _, value = setting.partition("=")
            yield key.strip(), value.strip()


def install_modules(names: list[str]) -> None:
    """Install Python packages with pip; those at `s3://` addresses are read with the session's role.

    Raises:
        CalledProcessError, ClientError: one cannot be installed or read; the session then fails.
    """
    if not names:
        return
    import boto3

    requirements = []
    for name in names:
        if name.startswith("s3://"):
            bucket, _, key = name.removeprefix("s3://").partition("/")
            file = str(Path(key.rpartition("/")[2]).resolve())
            boto3.client("s3").download_file(bucket, key, file)
            requirements.append(file)
        else:
            requirements.append(name)
    folder = str(Path("modules").resolve())
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--target", folder]
    # pip reaches no address of the sandbox, whose certificates this variable is for
    environment = {name: value for name, value in os.environ.items() if name != "SSL_CERT_FILE"}
    subprocess.run([*pip, *requirements], check=True, env=environment)
    sys.path.insert(0, folder)
    os.environ["PYTHONPATH"] = folder  # for Spark's workers


def run(code: str, names: dict[str, Any], notice: str = "") -> dict[str, Any]:
    """Run a statement; return its output, after a notice unless it fails."""
    printed, errors = io.StringIO(), io.StringIO()
    printed.write(notice)
    figure = ""
    try:
        with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(errors):
            for part in parts(code):
                figure = show(part, names) if part.startswith("%") else execute(part, names)
    except BaseException as error:  # any error of the statement, an interrupt and SystemExit included
        own_frames = error.__traceback__ and error.__traceback__.tb_next and error.__traceback__.tb_next.tb_next
        return {
            "Status": "error",
            "ErrorName": type(error).__name__,
            "ErrorValue": str(error),
            "Traceback": traceback.format_exception(type(error), error, own_frames),
        }
    text = (printed.getvalue() + errors.getvalue()).rstrip()
    picture = {"Result": figure, "MimeType": "image/png;base64", "StdOut": text}
    return {"Status": "ok", "Data": picture if figure else {"TextPlain": text}}


def parts(code: str) -> Iterator[str]:
    """Yield code as it is if it is Python, else its lines that begin with `%`, and what lies between them."""
    try:
        ast.parse(code)
    except SyntaxError:
        between: list[str] = []
        for line in code.rstrip().split("\n"):
            if not line.startswith("%"):
                between.append(line)
                continue
            if between:
                yield "\n".join(between)
                between.clear()
            yield line
        if between:
            yield "\n".join(between)
    else:
        yield code


def show(line: str, names: dict[str, Any]) -> str:
    """Return the picture that a line such as `%matplot plt` asks for; only the last part of a statement is shown.

    Raises:
        UnknownMagicError: the line asks for something else.
        KeyError: the name is not defined.
    """
    magic, _, name = line[1:].partition(" ")
    if magic not in MAGICS:
        raise UnknownMagicError(f"unknown magic command '{magic}'")
    return base64.b64encode(MAGICS[magic](names[name])).decode()


def execute(code: str, names: dict[str, Any]) -> str:
    """Run code, the last statement as at an interactive prompt, which prints values. It shows no picture: ""."""
    module = ast.parse(code, "<stdin>")
    last = module.body[-1:]
    del module.body[-1:]
    exec(compile(module, "<stdin>", "exec"), names)
    exec(compile(ast.Interactive(last), "<stdin>", "single"), names)
    return ""


def drawn_by_matplotlib(pyplot: Any) -> bytes:
    """Return the current figure of `matplotlib.pyplot`, as PNG."""
    png = io.BytesIO()
    pyplot.savefig(png, format="png")
    return png.getvalue()


def drawn_by_plotly(figure: Any) -> bytes:
    """Return a figure of plotly, as PNG: of what Glue's large results hold, the kernel shows no other picture."""
    png: bytes = figure.to_image("png")
    return png


MAGICS: dict[str, Callable[[Any], bytes]] = {"matplot": drawn_by_matplotlib, "plotly": drawn_by_plotly}


if __name__ == "__main__":
    main()
