EXAMPLES = [{}, {"slots": ["sales"], "among": "ME().department"}]
