EXAMPLES = [{"table": "other"}]
