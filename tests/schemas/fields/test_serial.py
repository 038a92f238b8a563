EXAMPLES = [{"parts": ["A-", {"date": "yyyyMM"}, {"count": 4}]}]
