"""What the tool knows: values and rules, no input or output."""
