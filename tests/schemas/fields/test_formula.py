EXAMPLES = [{"formula": "1 + 1"}]
