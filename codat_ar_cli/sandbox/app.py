"""The sandbox as an ASGI application: Starlette routes in front of the desk."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from ipaddress import ip_address
from typing import Any
from urllib.parse import parse_qsl, unquote

import anyio
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from codat_ar_cli.sandbox.answers import Answer, ApiError, Call, error_answer
from codat_ar_cli.sandbox.desk import Desk, Reply
from codat_ar_cli.sandbox.routes import CONTROL_ROUTES, ROUTES, Handler
from codat_ar_cli.sandbox.settings import Settings
from codat_ar_cli.sandbox.world import World

LARGEST_BODY = 100 * 1024 * 1024
"""Bytes; more is answered 413. The largest attachment any platform here takes."""


def create_app(settings: Settings) -> Starlette:
    """Build the application; its `state.world` is the sandbox behind it. Raises SandboxError."""
    world = World(settings)
    desk = Desk(world, anyio.sleep)

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        yield
        desk.close()
        world.close()

    app = Starlette(
        routes=[
            *(Route(path, _endpoint(desk, handler), methods=[method]) for method, path, handler in ROUTES),
            *(Route(path, _control(world, handler), methods=[method]) for method, path, handler in CONTROL_ROUTES),
        ],
        middleware=[Middleware(KeepEncodedPath)],
        exception_handlers={HTTPException: _astray(desk)},
        lifespan=lifespan,
    )
    app.router.redirect_slashes = False
    app.state.world = world
    return app


class KeepEncodedPath:
    """Routes on the path as it was sent, so that a `%2F` in a record id does not split it."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on with its encoded path."""
        if scope["type"] == "http":
            raw = scope.get("raw_path") or scope["path"].encode()
            scope = {**scope, "path": raw.decode("latin-1").partition("?")[0]}
        await self._app(scope, receive, send)


class Broken(Response):
    """An answer whose connection breaks: before it, or inside its body."""

    def __init__(self, reply: Reply) -> None:
        super().__init__()
        self._reply = reply

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send what is to be sent, then break the connection."""
        if self._reply.send is not None and self._reply.send >= 0:
            answer = self._reply.answer
            headers = {**self._reply.headers, "Content-Length": str(len(answer.body))}
            raw = [(name.lower().encode(), value.encode("latin-1")) for name, value in headers.items()]
            await send({"type": "http.response.start", "status": answer.status, "headers": raw})
            cut = answer.body[: self._reply.send]
            await send({"type": "http.response.body", "body": cut, "more_body": True})
            await anyio.sleep(0.01)
        hang_up = scope.get("state", {}).get("hang_up")
        if hang_up is None:
            raise ConnectionAbortedError("the fault plan breaks this connection")
        hang_up()
        await anyio.sleep(0.01)  # lets the server notice, so that it does not try to answer in our place


def _endpoint(desk: Desk, handler: Handler) -> Any:
    async def endpoint(request: Request) -> Response:
        try:
            call = await _call(request, desk.world)
        except ApiError as error:
            return _response(Reply(error_answer(error), {"Content-Type": "application/json"}, None))
        peer = request.client.host if request.client else ""
        query_string = request.scope["query_string"].decode("latin-1")
        return _response(await desk.serve(call, handler, address=peer, query_string=query_string))

    return endpoint


def _astray(desk: Desk) -> Any:
    async def answer_astray(request: Request, error: Exception) -> Response:
        status = error.status_code if isinstance(error, HTTPException) else 500
        text = f"{request.method} is not possible here." if status == 405 else f"Nothing is found at {request.url.path}"

        def refuse(world: World, call: Call) -> Answer:
            raise ApiError(status, text)

        response: Response = await _endpoint(desk, refuse)(request)
        return response

    return answer_astray


def _control(world: World, handler: Handler) -> Any:
    async def endpoint(request: Request) -> Response:
        if not _is_loopback(request.client.host if request.client else ""):
            answer = error_answer(ApiError(404, f"Nothing is found at {request.url.path}"))
        else:
            try:
                world.settle()
                answer = handler(world, await _call(request, world))
            except ApiError as error:
                answer = error_answer(error)
            world.commit()
        headers = {} if answer.content_type is None else {"Content-Type": answer.content_type}
        return _response(Reply(answer, headers, None))

    return endpoint


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "testclient"


async def _call(request: Request, world: World) -> Call:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > LARGEST_BODY:
            raise ApiError(413, "Request body too large.")
    query = parse_qsl(request.scope["query_string"].decode("latin-1"), keep_blank_values=True)
    return Call(
        method=request.method,
        path=request.scope["path"],
        params={name: unquote(value) for name, value in request.path_params.items()},
        query=dict(query),
        headers=dict(request.headers),
        body=bytes(body),
        now=world.clock.now(),
    )


def _response(reply: Reply) -> Response:
    if reply.send is not None:
        return Broken(reply)
    body = None if reply.answer.content_type is None else reply.answer.body
    return Response(body, status_code=reply.answer.status, headers=reply.headers)
