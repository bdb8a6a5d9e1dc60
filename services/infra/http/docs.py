"""The OpenAPI document as one plain page: it loads nothing from elsewhere, because offices are often cut off."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from html import escape
from typing import Any

_STYLE = """
body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#1c2733}
h2{margin-top:2.5rem;border-top:1px solid #d5dbe1;padding-top:1rem;font-size:1.15rem}
code,pre{font:14px/1.45 ui-monospace,monospace;background:#f3f5f7;border-radius:4px}code{padding:.1em .3em}
pre{padding:.8rem;overflow:auto}table{border-collapse:collapse;width:100%}
td,th{text-align:left;vertical-align:top;padding:.3rem .6rem;border-bottom:1px solid #e3e8ec}
"""


def render_docs(document: Mapping[str, Any], more: str = "", *, whose: str = "the token of the source") -> str:
    """Return the page for an OpenAPI *document*: each call with what it takes, an example and every answer.

    *more* is HTML that stands beside the link to the document itself, *whose* says which token a call needs.
    """
    info = document["info"]
    body = "".join(
        part
        for path, methods in document["paths"].items()
        for method, call in methods.items()
        for part in _call(method.upper(), path, call, document, whose)
    )
    title = escape(f"{info['title']} {info['version']}")
    return (
        f"<!doctype html><html lang=en><meta charset=utf-8><title>{title}</title><style>{_STYLE}</style>"
        f"<h1>{title}</h1><p>For tools: <a href=openapi.json>openapi.json</a>. {more}</p>{body}</html>"
    )


def _call(method: str, path: str, call: Mapping[str, Any], document: Mapping[str, Any], whose: str) -> Iterator[str]:
    yield f"<h2><code>{method} {escape(path)}</code> {escape(call.get('summary', ''))}</h2>"
    if call.get("security"):
        yield f"<p>Needs <code>Authorization: Bearer …</code>, {escape(whose)}.</p>"
    if call.get("parameters"):
        yield "<table><tr><th>Parameter<th>Meaning"
        for one in call["parameters"]:
            needed = ", required" if one.get("required") else ""
            yield f"<tr><td><code>{escape(one['name'])}</code>{needed}<td>{escape(one.get('description', ''))}"
        yield "</table>"
    taken = call.get("requestBody", {})
    if taken:
        yield f"<p>{escape(taken.get('description', ''))}</p>"
    for kind, content in taken.get("content", {}).items():
        yield f"<p><code>{escape(kind)}</code></p>"
        if "example" in content:
            yield f"<pre>{escape(json.dumps(content['example'], ensure_ascii=False, indent=2))}</pre>"
    yield "<table><tr><th>Code<th>Meaning<th>Body"
    for code, answer in call.get("responses", {}).items():
        yield f"<tr><td>{escape(code)}<td>{escape(answer.get('description', ''))}<td>{_fields(answer, document)}"
    yield "</table>"


def _fields(answer: Mapping[str, Any], document: Mapping[str, Any]) -> str:
    content = answer.get("content", {}).get("application/json", {})
    name = content.get("schema", {}).get("$ref", "").rpartition("/")[2]
    fields = document.get("components", {}).get("schemas", {}).get(name, {}).get("properties", {})
    return ", ".join(f"<code>{escape(field)}</code>" for field in fields)
