"""Ways to tamper with a model's files, each a function of their folder."""

from __future__ import annotations

import io
import json
import pickle
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import yaml

MODEL = "model.skops"
Tampering = Callable[[Path], object]


class Evil:
    """Leaves a trace where it is unpickled."""

    def __init__(self, trace: Path) -> None:
        self.trace = trace

    def __reduce__(self) -> Any:
        return (Path.touch, (self.trace,))


def tamperings(other: Path, outside: Path) -> dict[str, Tampering]:
    """All of them by name. `other` holds another model of the same shape, `outside` is a folder to hide things in."""
    payload = pickle.dumps(Evil(outside / "executed"))
    made: dict[str, Tampering] = {
        "another estimator's file": lambda f: shutil.copy(other / MODEL, f / MODEL),
        "the folder of another version": lambda f: (shutil.rmtree(f), shutil.copytree(other, f)),
        "a pickle for a model": lambda f: (f / MODEL).write_bytes(payload),
        "a folder for a model": lambda f: ((f / MODEL).unlink(), (f / MODEL).mkdir()),
        "no model": lambda f: (f / MODEL).unlink(),
        "no files": lambda f: [path.unlink() for path in f.iterdir()],
        "no folder": shutil.rmtree,
        "a link to the same bytes": lambda f: link(f / MODEL, outside / "same"),
        "a link to another model": lambda f: ((f / MODEL).unlink(), (f / MODEL).symlink_to(other / MODEL)),
        "a link to nothing": lambda f: ((f / MODEL).unlink(), (f / MODEL).symlink_to(outside / "nothing")),
        "a link for the folder": lambda f: link(f, outside / "folder"),
        "a link beside it": lambda f: (f / "more").symlink_to("/etc/hostname"),
        "a pickle beside it": lambda f: (f / "model.pkl").write_bytes(payload),
        "a module beside it": lambda f: (f / "sitecustomize.py").write_text("raise SystemExit"),
        "code in a folder beside it": lambda f: ((f / "code").mkdir(), (f / "code" / "evil.py").write_text("1/0")),
        "a hidden file beside it": lambda f: (f / ".more").write_text(""),
        "other requirements": lambda f: append(f / "requirements.txt", "\nevil-package==6.6.6"),
        "another conda file": lambda f: append(f / "conda.yaml", "\n# more"),
        "another Python": lambda f: append(f / "python_env.yaml", "\n# more"),
        "another example": lambda f: append(f / "input_example.json", " "),
        "no example": lambda f: (f / "serving_input_example.json").unlink(),
        "no description": lambda f: (f / "MLmodel").unlink(),
        "a description that is no YAML": lambda f: append(f / "MLmodel", "\n{"),
        "a description that calls": lambda f: append(
            f / "MLmodel", f"\nmore: !!python/object/apply:pathlib.Path.touch ['{outside / 'executed'}']"
        ),
        "the bytes of a description flipped": lambda f: flip(f / "MLmodel", 30),
        "a schema that is no JSON": lambda f: rezip(f, {"schema.json": lambda _: b"{"}),
        "a schema without end": lambda f: rezip(f, {"schema.json": lambda _: b'{"content": ' * 100_000}),
        "no schema": lambda f: rezip(f, {}, leave_out="schema.json"),
        "a second schema": lambda f: add(f, "schema.json", b'{"__class__": "system", "__module__": "posix"}'),
        "a part more": lambda f: add(f, "more.npy", b"more"),
        "a part less": lambda f: rezip(f, {}, leave_out=parts(f)[0]),
    }
    for share in (0, 0.5, 0.999):
        made[f"cut at {share:.1%}"] = lambda f, share=share: cut(f / MODEL, share)
    for index in range(4):
        made[f"a byte of part {index} flipped"] = lambda f, index=index: flip(f / MODEL, inside(f, parts(f)[index]))
        made[f"a number of part {index} changed"] = lambda f, index=index: rezip(f, {parts(f)[index]: other_numbers})
    made["a byte of the schema flipped"] = lambda f: flip(f / MODEL, inside(f, "schema.json"))
    made["parts exchanged"] = lambda f: rezip(
        f, {parts(f)[0]: lambda _: part(f, parts(f)[1]), parts(f)[1]: lambda _: part(f, parts(f)[0])}
    )
    for old, new in (
        ("LogisticRegression", "RidgeClassifier"),
        ("sklearn.linear_model._logistic", "posix"),
        ("StandardScaler", "MinMaxScaler"),
        ("lbfgs", "sag"),
        ("standardscaler", "logisticregression"),
        ("ObjectNode", "MethodNode"),
        ("_skops_version", "_skops_versions"),
        (".npy", ".pkl"),
    ):
        made[f"{old} is now {new} in the schema"] = lambda f, old=old, new=new: schema(f, old, new)
    for name, change in {
        "signature: another column": lambda d: d["signature"].update(inputs=d["signature"]["inputs"].replace("a", "o")),
        "signature: another type": lambda d: d["signature"].update(
            inputs=d["signature"]["inputs"].replace("double", "string")
        ),
        "signature: other output": lambda d: d["signature"].update(outputs=d["signature"]["outputs"].replace("2", "3")),
        "signature: parameters": lambda d: d["signature"].update(params='[{"name": "x", "type": "long"}]'),
        "no signature": lambda d: d.pop("signature"),
        "another loader": lambda d: d["flavors"]["python_function"].update(loader_module="evil"),
        "another function to predict": lambda d: d["flavors"]["python_function"].update(predict_fn="predict"),
        "another file to read": lambda d: d["flavors"]["sklearn"].update(pickled_model="input_example.json"),
        "read as a pickle": lambda d: d["flavors"]["sklearn"].update(serialization_format="cloudpickle"),
        "more trusted types": lambda d: d["flavors"]["sklearn"]["skops_trusted_types"].append("posix.system"),
        "code to import": lambda d: d["flavors"]["sklearn"].update(code="code"),
        "a flavor more": lambda d: d["flavors"].update(keras={"data": "data"}),
        "a flavor less": lambda d: d["flavors"].pop("sklearn"),
        "resources": lambda d: d.update(resources={"databricks": {}}),
    }.items():
        made[f"description: {name}"] = lambda f, change=change: describe(f, change)
    return made


def link(path: Path, target: Path) -> None:
    """Moves a file or folder away and leaves a link to it."""
    shutil.move(path, target)
    path.symlink_to(target)


def append(path: Path, text: str) -> None:
    """Adds text to a file."""
    path.write_text(path.read_text() + text)


def cut(path: Path, share: float) -> None:
    """Keeps the beginning of a file."""
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * share)])


def flip(path: Path, at: int) -> None:
    """Turns the bits of one byte."""
    data = bytearray(path.read_bytes())
    data[at] ^= 0xFF
    path.write_bytes(data)


def inside(folder: Path, name: str) -> int:
    """Where the last byte of a part of the model lies in its file."""
    with zipfile.ZipFile(folder / MODEL) as archive:
        info = archive.getinfo(name)
    return info.header_offset + 30 + len(info.filename) + len(info.extra) + info.compress_size - 1


def parts(folder: Path) -> list[str]:
    """The names of the model's arrays."""
    with zipfile.ZipFile(folder / MODEL) as archive:
        return [name for name in archive.namelist() if name.endswith(".npy")]


def part(folder: Path, name: str) -> bytes:
    """One part of the model."""
    with zipfile.ZipFile(folder / MODEL) as archive:
        return archive.read(name)


def rezip(folder: Path, changes: dict[str, Callable[[bytes], bytes]], leave_out: str = "") -> None:
    """Writes the model's file again, whole and with right checksums, with other contents of some parts."""
    with zipfile.ZipFile(folder / MODEL) as archive:
        read = {name: archive.read(name) for name in archive.namelist() if name != leave_out}
    changed = {name: changes.get(name, bytes)(data) for name, data in read.items()}
    with zipfile.ZipFile(folder / MODEL, "w") as archive:
        for name, data in changed.items():
            archive.writestr(name, data)


def add(folder: Path, name: str, data: bytes) -> None:
    """Adds a part, also one of a name that is there."""
    import warnings

    with warnings.catch_warnings(), zipfile.ZipFile(folder / MODEL, "a") as archive:
        warnings.simplefilter("ignore")
        archive.writestr(name, data)


def other_numbers(data: bytes) -> bytes:
    """An array with other numbers."""
    array = np.load(io.BytesIO(data), allow_pickle=False)
    out = io.BytesIO()
    np.save(out, array + 1)
    return out.getvalue()


def schema(folder: Path, old: str, new: str) -> None:
    """Replaces text in the schema, where it stays JSON."""

    def changed(data: bytes) -> bytes:
        assert old in data.decode(), old
        text = data.decode().replace(old, new)
        json.loads(text)
        return text.encode()

    rezip(folder, {"schema.json": changed})


def describe(folder: Path, change: Callable[[dict[str, Any]], object]) -> None:
    """Changes what MLflow says of the model."""
    described = yaml.safe_load((folder / "MLmodel").read_text())
    change(described)
    (folder / "MLmodel").write_text(yaml.safe_dump(described))
