"""The import hooks, and what they learn from source files and tarballs."""

import io
import json
import tarfile
from pathlib import Path

import pytest

from fast_cdktf import _imports
from fast_cdktf._tarball import UnknownLayoutError, cut_tarball
from tests.fast_cdktf.conftest import PACKAGE, Run


def test_the_submodules_of_the_subset_are_those_that_source_files_import(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for folder in ("modules/deeper", "stacks", "tests"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "modules/a.py").write_text(
        f"from {PACKAGE}.iam_role import IamRole\nimport {PACKAGE}.s3_bucket as s3\n"
    )
    (tmp_path / "modules/deeper/b.py").write_text(f"def f():\n    from {PACKAGE} import (\n        glue_job,\n    )\n")
    (tmp_path / "stacks/c.py").write_text("from cdktn_provider_aws.provider import AwsProvider\nimport cdktn.x\n")
    (tmp_path / "stacks/d.py").write_text(f'"""{PACKAGE}.instance"""\nfrom . import {PACKAGE}\n')
    (tmp_path / "tests/e.py").write_text(f"import {PACKAGE}.lambda_function\n")
    monkeypatch.setattr(_imports, "_REPOSITORY", tmp_path)

    submodules = _imports.imported_submodules(frozenset({PACKAGE, "cdktn_provider_aws"}))

    assert submodules == {"iam_role", "s3_bucket", "glue_job", "provider"}


def test_an_alias_is_the_module_itself_submodules_included(run: Run) -> None:
    completed = run(
        "import sys, warnings\n"
        "warnings.simplefilter('error')\n"
        "from fast_cdktf._imports import AliasFinder\n"
        "sys.meta_path.insert(0, AliasFinder({'alias': 'concurrent', 'other': 'json'}))\n"
        "from alias.futures import thread\n"
        "import alias.futures.thread, other, concurrent.futures, json\n"
        "from other import decoder\n"
        "assert alias is concurrent and other is json and decoder is json.decoder\n"
        "assert alias.futures.thread is concurrent.futures.thread is thread\n"
        "assert json.__spec__.name == 'json' and thread.__spec__.name == 'concurrent.futures.thread'\n"
    )

    assert (completed.returncode, completed.stderr) == (0, "")


def test_a_submodule_that_does_not_exist_is_python_s_own_error(run: Run) -> None:
    completed = run(f"import fast_cdktf\nfast_cdktf.install()\nimport {PACKAGE}.no_such_service")

    assert completed.stderr.splitlines()[-1] == f"ModuleNotFoundError: No module named '{PACKAGE}.no_such_service'"


def test_an_import_before_install_is_an_error(run: Run) -> None:
    completed = run("import constructs, fast_cdktf\nfast_cdktf.install()", JSII_NODE="node")

    assert completed.stderr.splitlines()[-1] == (
        "RuntimeError: call fast_cdktf.install() before the first import of cdktf or constructs"
    )


def test_install_may_be_called_twice(run: Run) -> None:
    completed = run(
        "import fast_cdktf, sys\n"
        "fast_cdktf.install()\n"
        "finders = list(sys.meta_path)\n"
        "fast_cdktf.install(long_running=True)\n"
        "assert sys.meta_path == finders"
    )

    assert (completed.returncode, completed.stderr) == (0, "")


def test_a_long_running_process_starts_node_at_the_first_import_and_collects_garbage(run: Run) -> None:
    completed = run(
        "import fast_cdktf, gc\n"
        "fast_cdktf.install(long_running=True)\n"
        "assert not fast_cdktf._node._ahead and gc.isenabled()\n"
        "from cdktf import Testing\n"
        "print(Testing.app().node.path == '')"
    )

    assert (completed.stdout, completed.stderr) == ("True\n", "")


def tarball(folder: Path, **scripts: str) -> Path:
    """Write a jsii package with submodules of these scripts."""
    assembly = {
        "name": "@example/provider",
        "submodules": {
            f"@example/provider.{name}": {"symbolId": f"src/{name.replace('_', '-')}/index:"} for name in scripts
        },
        "types": {f"@example/provider.{name}.Thing": {"kind": "class"} for name in scripts},
        "version": "1.0.0",
    }
    files = {
        ".jsii": json.dumps(assembly, indent=2),
        "package.json": '{\n  "main": "lib/index.js"\n}',
        **{f"lib/{name.replace('_', '-')}/index.js": script for name, script in scripts.items()},
    }
    file = folder / "provider@1.0.0.jsii.tgz"
    with tarfile.open(file, "w:gz") as target:
        for path, content in files.items():
            member = tarfile.TarInfo(f"package/{path}")
            member.size = len(content)
            target.addfile(member, io.BytesIO(content.encode()))
    return file


def test_a_cut_tarball_holds_what_the_submodules_need_too(tmp_path: Path) -> None:
    whole = tarball(tmp_path, bucket="", other="", provider='require("../the-functions");', the_functions="")

    content, submodules = cut_tarball(whole, ["provider"])

    assert submodules == ["provider", "the_functions"]
    with tarfile.open(fileobj=io.BytesIO(content)) as cut:
        assembly = cut.extractfile("package/.jsii")
        assert assembly
        assert [*json.load(assembly)["types"]] == [
            "@example/provider.provider.Thing",
            "@example/provider.the_functions.Thing",
        ]
        assert sorted(cut.getnames()) == [
            "package/.jsii",
            "package/lib/index.js",
            "package/lib/provider/index.js",
            "package/lib/the-functions/index.js",
            "package/package.json",
        ]


def test_a_tarball_without_a_submodule_is_of_an_unknown_layout(tmp_path: Path) -> None:
    with pytest.raises(UnknownLayoutError, match=r"^the assembly describes 0 of 1 submodules$"):
        cut_tarball(tarball(tmp_path, bucket=""), ["provider"])
