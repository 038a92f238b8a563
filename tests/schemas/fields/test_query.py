EXAMPLES = [{"table": "other"}, {"table": "other", "where": "TRUE", "limit": 5, "add": True}]
