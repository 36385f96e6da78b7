"""The network that is fine-tuned: a small encoder, mean pooling, and one linear layer per question.

Training only (extra `attache[train]`); run time reads the exported ONNX graph.
"""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor, nn
from transformers import AutoModel

from bot.training.data import STAGES, STATUSES

GATES = 3  # trade_deal, ministerial_meeting, new development
OUTPUTS = GATES + len(STAGES) + len(STATUSES)


class Network(nn.Module):
    """Encoder with heads. Gives logits (batch x OUTPUTS) and a unit vector for story matching (batch x hidden)."""

    def __init__(self, base: Path) -> None:
        super().__init__()
        self.encoder = AutoModel.from_pretrained(base)
        hidden = self.encoder.config.hidden_size
        self.dropout = nn.Dropout(0.1)
        self.heads = nn.Linear(hidden, OUTPUTS)
        self.story = nn.Linear(hidden, hidden)
        with torch.no_grad():
            self.story.weight.copy_(torch.eye(hidden))
            self.story.bias.zero_()

    def pooled(self, ids: Tensor, mask: Tensor, types: Tensor) -> Tensor:
        """Mean of the last hidden states over the tokens that `mask` keeps."""
        states = self.encoder(input_ids=ids, attention_mask=mask, token_type_ids=types).last_hidden_state
        keep = mask.unsqueeze(-1).to(states.dtype)
        return (states * keep).sum(1) / keep.sum(1).clamp(min=1.0)

    def forward(self, input_ids: Tensor, attention_mask: Tensor, token_type_ids: Tensor) -> tuple[Tensor, Tensor]:
        """Return (logits, story vector)."""
        pooled = self.pooled(input_ids, attention_mask, token_type_ids)
        return self.heads(self.dropout(pooled)), nn.functional.normalize(self.story(pooled), dim=-1)
