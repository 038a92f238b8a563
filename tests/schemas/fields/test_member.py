EXAMPLES = [{}, {"roles": ["clerk"], "slots": ["sales"], "among": "ME()"}]
