EXAMPLES = [{}, {"currency": "JPY", "decimals": 0}]
