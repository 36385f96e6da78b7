"""A model of the shape of BART-large with random weights (needs torch): for speed only, its answers mean nothing."""

from __future__ import annotations

from pathlib import Path

from transformers import AutoTokenizer, BartConfig, BartForSequenceClassification

from config.settings import HERE


def save_bart_large(folder: Path) -> None:
    """Write the model, with the shipped encoder's tokenizer: it cuts texts into about as many tokens as BART's own (30,522 pieces, not 50,265)."""
    tokenizer = AutoTokenizer.from_pretrained(HERE / "model")
    tokenizer.save_pretrained(folder)
    config = BartConfig(
        pad_token_id=tokenizer.pad_token_id,
        bos_token_id=tokenizer.cls_token_id,
        eos_token_id=tokenizer.sep_token_id,  # BART reads its answer at the last end of a sentence
        decoder_start_token_id=tokenizer.sep_token_id,
        num_labels=3,
    )
    config.id2label = {0: "contradiction", 1: "neutral", 2: "entailment"}
    config.label2id = {label: number for number, label in config.id2label.items()}
    BartForSequenceClassification(config).save_pretrained(folder)
