"""A seq2seq model small enough to be made in a test (needs torch)."""

from __future__ import annotations

from pathlib import Path

from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import Whitespace
from transformers import BartConfig, BartForConditionalGeneration, PreTrainedTokenizerFast


def save_seq2seq(folder: Path, text: str) -> None:
    """Write a BART of two layers with random weights and a tokenizer of the words of `text`."""
    words = ["<s>", "<pad>", "</s>", "<unk>", *sorted(set(text.split()))]
    tokenizer = Tokenizer(WordLevel({word: i for i, word in enumerate(words)}, unk_token="<unk>"))
    tokenizer.pre_tokenizer = Whitespace()
    fast = PreTrainedTokenizerFast(tokenizer_object=tokenizer, bos_token="<s>", eos_token="</s>", pad_token="<pad>", unk_token="<unk>")
    fast.save_pretrained(folder)
    size = {"d_model": 16, "encoder_layers": 1, "decoder_layers": 1, "encoder_attention_heads": 2, "decoder_attention_heads": 2}
    config = BartConfig(vocab_size=len(words), encoder_ffn_dim=16, decoder_ffn_dim=16, max_position_embeddings=256, **size)
    BartForConditionalGeneration(config).save_pretrained(folder)
