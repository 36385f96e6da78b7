"""Pure values and decisions. Standard library only; no clock, no input or output: values and `now` in, a decision with its reason out."""
