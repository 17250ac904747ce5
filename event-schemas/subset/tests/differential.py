"""Holds our verdicts against the checker jsoncompat (PyPI, MIT), on pairs from stdin.

    python3 -m pip install jsoncompat==0.3.1
    cargo run -p event-schemas-subset --example pairs -- 5000 | python3 tests/differential.py

It answers yes or no, and its no also means "no proof found". So only one kind of difference can
be an error: it says yes where we show a document. Each of those is printed with the document.
With 0.3.1, on 1,500 pairs (1,205 of which it reads), there were four, and all are its own:

    what changed                                     a document that the old one refuses
    -----------------------------------------------  -----------------------------------
    `unevaluatedItems` added: it is not looked at    [null]
    `unevaluatedProperties` narrowed: the same       {"other": 0}
    `pattern` added beside no `type`: the same       ""

There were 83 times no where we say yes, and 295 refusals of schemas that it finds invalid or
cannot check. Those were not looked into one by one: no document comes with a no.
"""

import collections
import json
import sys

import jsoncompat

counts = collections.Counter()
for line in sys.stdin:
    pair = json.loads(line)
    try:
        # Of a serializer the new schema must be contained in the old one.
        contained = jsoncompat.check_compat(
            json.dumps(pair["sup"]), json.dumps(pair["sub"]), "serializer"
        )
        theirs = "yes" if contained else "no"
    except BaseException as error:  # a panic of theirs is one of these
        theirs = "refused: " + str(error).split(":")[0][:60]
    counts[pair["verdict"], theirs] += 1
    if pair["verdict"] == "Broken" and theirs == "yes":
        print("they say yes:", line.strip())
for (ours, theirs), count in sorted(counts.items()):
    print(f"{count:7}  ours {ours:10} theirs {theirs}")
