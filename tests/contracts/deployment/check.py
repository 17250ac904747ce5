"""Checks Kubernetes manifests and compose files against their schemas.

Takes files; those whose name begins with `compose` or `docker-compose` are compose files. Answers one line: how
many documents there were, and what is wrong with them.
"""

import importlib.util
import json
import pathlib
import sys

import jsonschema
import kubernetes_validate
import yaml

KUBERNETES = "1.37"


def main(paths):
    # The package is not run: only its schema is wanted.
    package = importlib.util.find_spec("check_jsonschema").submodule_search_locations[0]
    schema = pathlib.Path(package) / "builtin_schemas" / "vendor" / "compose-spec.json"
    compose = json.loads(schema.read_text(encoding="utf-8"))
    number, faults = 0, []
    for path in map(pathlib.Path, paths):
        for document in yaml.safe_load_all(path.read_text(encoding="utf-8")):
            number += 1
            check = of_compose if "compose" in path.name else of_kubernetes
            for why in check(document, compose):
                faults.append(f"{path.name}: {why}")
    print(json.dumps({"documents": number, "faults": faults}))


def of_compose(document, schema):
    # What begins with `x-` are templates, which YAML has put in already.
    validator = jsonschema.validators.validator_for(schema)(schema)
    for error in validator.iter_errors(document):
        yield f"{'.'.join(map(str, error.absolute_path))}: {error.message}"


def of_kubernetes(document, _):
    try:
        # Strict: a field that the schema does not have is a mistake.
        kubernetes_validate.validate(document, KUBERNETES, strict=True)
    except kubernetes_validate.ValidationError as error:
        where = ".".join(map(str, error.path))
        yield f"{document.get('kind')} {document['metadata']['name']}: {where}: {error.message}"


main(sys.argv[1:])
