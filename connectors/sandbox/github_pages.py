"""GitHub's pages, with the Link header, and its refusals."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import JSONResponse, Response


def failure(status: int, words: str) -> Response:
    """A refusal as GitHub words it."""
    documentation = "https://docs.github.com/rest"
    return JSONResponse({"message": words, "documentation_url": documentation, "status": str(status)}, status)


def on_page(
    request: Request, items: list[Any], shape: Callable[[Any], dict[str, Any]], inside: dict[str, Any] | None = None
) -> Response:
    """One page of a list, shaped only now; `inside`: what stands around it, with the key that is None in it."""
    query = dict(request.query_params)
    size, page = min(int(query.get("per_page", 30)), 100), max(1, int(query.get("page", 1)))
    part = [shape(item) for item in items[(page - 1) * size : page * size]]
    body = part if inside is None else {key: part if value is None else value for key, value in inside.items()}
    answer = JSONResponse(body)
    last = max(1, -(-len(items) // size))
    if page < last:
        answer.headers["link"] = (
            f'{_link(request, query, page + 1)}; rel="next", {_link(request, query, last)}; rel="last"'
        )
    return answer


def cursor_link(request: Request, after: str) -> str:
    """The header that leads to what comes after."""
    query = {**dict(request.query_params), "after": after}
    return f'<{_address(request)}?{urlencode(query)}>; rel="next"'


def _link(request: Request, query: dict[str, str], page: int) -> str:
    return f"<{_address(request)}?{urlencode({**query, 'page': page})}>"


def _address(request: Request) -> str:
    return str(request.url).partition("?")[0]
