EXAMPLES = [
    {"over": "other.link", "aggregate": "count"},
    {"over": "other.link", "aggregate": "sum", "value": "amount"},
    {"over": "links", "aggregate": "join", "value": "name", "sort": ["-name"], "separator": "; ", "distinct": True},
    {"table": "other", "aggregate": "count", "where": "owner = this.owner"},
]
