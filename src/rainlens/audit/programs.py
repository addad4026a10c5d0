"""Networks in files of other kinds: ONNX, which is data, and PyTorch programs, which are code."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from rainlens import data
from rainlens.audit.inputs import AuditError
from rainlens.audit.networks import Network

DTYPES = {"tensor(float)": torch.float32, "tensor(float16)": torch.float16}
EXPORTED = ".pt2"


def of_onnx(path: Path) -> Network:
    """The network in an ONNX file, run on the processor by onnxruntime; it is data, not code.

    Raises AuditError where onnxruntime is missing, or the file is no network of one picture.
    """
    try:
        import onnxruntime
    except ImportError as error:
        raise AuditError("onnxruntime is not installed: pip install 'rainlens[onnx]'.") from error
    told = data.printable(path)
    if not path.is_file():
        raise AuditError(f"{told} does not exist; check the path.")
    quiet = onnxruntime.SessionOptions()
    quiet.log_severity_level = 4  # what goes wrong is told below, in one sentence
    try:
        session = onnxruntime.InferenceSession(path, quiet, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime has a dozen kinds, without a common ancestor
        raise AuditError(f"{told} cannot be read as an ONNX network: {_short(error)}.") from error
    given = session.get_inputs()
    if len(given) != 1 or given[0].type not in DTYPES:
        listed = ", ".join(f"{one.name}: {one.type}" for one in given)
        raise AuditError(f"{told} takes {listed}; a network of one picture in floats is needed.")
    fixed = [side for side in given[0].shape[2:] if isinstance(side, int)]

    def network(picture: Tensor) -> list[Tensor]:
        values = picture.to(DTYPES[given[0].type]).contiguous().numpy()
        try:
            answers = session.run(None, {given[0].name: values})
        except Exception as error:
            sizes = "x".join(map(str, fixed))
            hint = (
                f"it takes pictures of {sizes} only: export it with dynamic height and width"
                if fixed
                else _short(error)
            )
            raise AuditError(f"{told} failed on {tuple(picture.shape)}: {hint}.") from error
        return [torch.from_numpy(answer) for answer in answers]

    return network


def of_program(path: Path, trust: bool) -> Network:
    """The network in a TorchScript file, or in one of torch.export (.pt2); loading it runs code.

    Raises AuditError without `trust`, and where the file is neither.
    """
    told = data.printable(path)
    if not trust:
        raise AuditError(
            f"{told} is a program: loading it can run anything, so it is not opened. If you know "
            "where it comes from, add --trust; else use --outputs, which runs nothing here."
        )
    if not path.is_file():
        raise AuditError(f"{told} does not exist; check the path.")
    try:
        if path.suffix == EXPORTED:
            found: Any = torch.export.load(path).module()
        else:
            found = torch.jit.load(path, map_location="cpu").eval()
    except Exception as error:  # whatever the file makes of it
        raise AuditError(f"{told} is no TorchScript or .pt2 file: {_short(error)}.") from error
    network: Network = found
    return network


def _short(error: Exception) -> str:
    first = next(iter(str(error).strip().splitlines()), type(error).__name__)
    return data.printable(first[:200].rstrip("."))
