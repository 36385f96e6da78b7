"""From the trained network to the files that run time reads: an int8 ONNX graph, the tokenizer, its configuration."""

from __future__ import annotations

import tempfile
from pathlib import Path

import torch
from onnxruntime.quantization import QuantType, quantize_dynamic
from onnxruntime.quantization.shape_inference import quant_pre_process
from transformers import AutoTokenizer

from bot.domain.reading import MAX_TOKENS
from bot.training.network import Network


def export(network: Network, base: Path, out: Path) -> None:
    """Write `encoder.onnx` (int8, per channel), the tokenizer and `config.json` into folder `out`."""
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        exact, ready = Path(scratch) / "exact.onnx", Path(scratch) / "ready.onnx"
        _trace(network, exact)
        quant_pre_process(exact, ready, skip_symbolic_shape=True)
        quantize_dynamic(ready, out / "encoder.onnx", weight_type=QuantType.QInt8, per_channel=True)
    tokenizer = AutoTokenizer.from_pretrained(base)
    tokenizer.model_max_length = MAX_TOKENS
    tokenizer.save_pretrained(out)
    network.encoder.config.save_pretrained(out)


def _trace(network: Network, path: Path) -> None:
    sample = torch.ones((2, 8), dtype=torch.int64)
    names = ["input_ids", "attention_mask", "token_type_ids"]
    axes = {n: {0: "batch", 1: "length"} for n in names}
    network.eval()
    network.encoder.set_attn_implementation("eager")  # the fused attention cannot be traced
    torch.onnx.export(
        network,
        (sample, sample, torch.zeros_like(sample)),
        path,
        input_names=names,
        output_names=["logits", "vectors"],
        dynamic_axes=axes | {"logits": {0: "batch"}, "vectors": {0: "batch"}},
        opset_version=17,
        dynamo=False,
    )
