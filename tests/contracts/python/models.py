"""Makes pydantic models of schemas, and lets them read documents.

Takes a folder with `schemas/*.json` and `documents.json`. Answers one line: how many documents
there were, and those whose verdict is another than expected.
"""

import importlib.util
import json
import pathlib
import sys

from datamodel_code_generator import DataModelType, InputFileType, PythonVersion, generate
from pydantic import ValidationError


def main(folder):
    folder = pathlib.Path(folder)
    documents = json.loads((folder / "documents.json").read_text(encoding="utf-8"))
    models = {path.stem: model(path, number) for number, path in enumerate(schemas(folder))}
    surprises = []
    for document in documents:
        taken, why = read(models[document["schema"]], document["envelope"])
        if taken != document["pydantic"]:
            name = {"schema": document["schema"], "name": document["name"]}
            surprises.append({**name, "taken": taken, "why": why})
    print(json.dumps({"documents": len(documents), "surprises": surprises}))


def schemas(folder):
    return sorted((folder / "schemas").glob("*.json"))


def model(schema, number):
    """The model of a schema's root, made as a team would make it."""
    module = schema.with_name(f"model_{number}.py")
    generate(
        schema,
        input_file_type=InputFileType.JsonSchema,
        output=module,
        output_model_type=DataModelType.PydanticV2BaseModel,
        target_python_version=PythonVersion.PY_310,
        use_annotated=True,
        field_constraints=True,
        class_name="Envelope",
    )
    spec = importlib.util.spec_from_file_location(module.stem, module)
    loaded = importlib.util.module_from_spec(spec)
    sys.modules[module.stem] = loaded
    spec.loader.exec_module(loaded)
    return loaded.Envelope


def read(model, envelope):
    """Whether the model takes the envelope. `strict`: `"7"` is no number, as everywhere in JSON."""
    try:
        model.model_validate_json(json.dumps(envelope), strict=True)
    except ValidationError as error:
        return False, str(error)
    return True, ""


if __name__ == "__main__":
    main(*sys.argv[1:])
