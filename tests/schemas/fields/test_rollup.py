EXAMPLES = [{"over": "other.link", "aggregate": "count"}, {"over": "other.link", "aggregate": "sum", "value": "amount"}]
