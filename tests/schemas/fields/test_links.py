EXAMPLES = [{"table": "other"}, {"table": "other", "min": 1, "max": 3}]
