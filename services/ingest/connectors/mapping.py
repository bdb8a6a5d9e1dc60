"""Mappings and other YAML files of connectors: read, and all their faults named at once."""

from __future__ import annotations

from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from services.ingest.connectors.errors import CannotGoOn
from services.ingest.core.mapping import Mapping

Model = TypeVar("Model", bound=BaseModel)


def load_mapping(path: Path) -> Mapping:
    """Return the mapping in *path*. Raises CannotGoOn naming every fault by its place."""
    return read_yaml(path, Mapping)


def read_yaml(path: Path, model: type[Model]) -> Model:
    """Return *path* read as *model*. Raises CannotGoOn naming every fault by its place."""
    try:
        with path.open(encoding="utf-8") as file:
            content = YAML(typ="safe", pure=True).load(file)
        return model.model_validate(content)
    except OSError as error:
        raise CannotGoOn(f"cannot read {path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise CannotGoOn(f"{path} is not UTF-8 (byte {error.start}): save it as UTF-8") from error
    except MarkedYAMLError as error:
        mark = error.problem_mark
        place = f"{path}:{mark.line + 1}:{mark.column + 1}" if mark is not None else str(path)
        raise CannotGoOn(f"{place}: {error.problem or 'not YAML'}") from error
    except YAMLError as error:
        raise CannotGoOn(f"{path} is not YAML: {error}") from error
    except ValidationError as error:
        lines = []
        for wrong in error.errors(include_input=False, include_url=False):
            place = ".".join(str(part) for part in wrong["loc"]) or "the file"
            lines.append(f"  {place}: {wrong['msg']}")
        raise CannotGoOn(f"{path}:\n" + "\n".join(lines)) from error
