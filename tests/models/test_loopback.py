"""The server that the other tests believe."""

import asyncio
import http.client
import json
import socket
from typing import Any

import pytest
from support.loopback import LoopbackServer, Response, completion, error, message, reset


def post(server: LoopbackServer, path: str = "/v1/messages", **body: Any) -> tuple[int, Any]:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=5)
    connection.request("POST", path, json.dumps(body), {"Content-Type": "application/json"})
    response = connection.getresponse()
    answered = response.status, json.loads(response.read())
    connection.close()
    return answered


def test_answers_faults_and_records() -> None:
    with LoopbackServer(lambda body: message(body["say"])) as server:
        server.fail(error(529, "busy"), None, Response(418, {"a": 1}))
        assert post(server, say="a") == (529, error(529, "busy").body)
        assert post(server, say="b") == (200, message("b"))
        assert post(server, say="c") == (418, {"a": 1})
        assert post(server, say="d") == (200, message("d"))
        assert [body["say"] for body in server.bodies] == ["a", "b", "c", "d"]
        assert server.requests[0].headers["content-type"] == "application/json"
        assert (server.answered, server.in_flight, server.connections) == (2, 0, 4)
        with server.failing(error(500)):
            assert post(server, say="e")[0] == 500


def test_nothing_is_guessed() -> None:
    with LoopbackServer() as server:
        assert post(server)[0] == 200
        assert post(server, output_config={"effort": "low"})[0] == 200
        assert post(server, output_config={"format": {"type": "json_schema"}})[0] == 400
        assert post(server, "/v1/complete")[0] == 404


def test_the_other_protocol() -> None:
    with LoopbackServer(lambda _: completion("Yes.")) as server:
        status, body = post(server, "/v1/chat/completions")
        assert (status, body["choices"][0]["message"]["content"]) == (200, "Yes.")


def test_what_the_answer_raises_is_raised_at_the_end() -> None:
    def wrong(_: dict[str, Any]) -> dict[str, Any]:
        raise KeyError("say")

    with pytest.raises(KeyError, match="say"), LoopbackServer(wrong) as server:
        assert post(server)[0] == 500


def test_a_reset_is_a_reset() -> None:
    with LoopbackServer() as server:
        server.fail(reset(5))
        with socket.create_connection(("127.0.0.1", server.port), timeout=5) as wire:
            wire.sendall(b"POST /v1/messages HTTP/1.1\r\ncontent-length: 2\r\n\r\n{}")
            received = b""
            with pytest.raises(ConnectionResetError):
                while chunk := wire.recv(4096):
                    received += chunk
        assert received.endswith(b'\r\n\r\n{"id"')


def test_the_same_port_again() -> None:
    server = LoopbackServer()
    with server:
        port = server.port
        assert post(server)[0] == 200
    with pytest.raises(ConnectionRefusedError):
        post(server)
    with server:
        assert server.port == port
        assert post(server)[0] == 200


async def test_requests_in_pieces_and_one_after_the_other_on_one_connection() -> None:
    with LoopbackServer(lambda body: message(str(body["n"])), latency=0.01) as server:
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        for number in range(3):
            body = json.dumps({"n": number}).encode()
            head = b"POST /v1/messages HTTP/1.1\r\ncontent-length: %d\r\n\r\n" % len(body)
            for piece in (head[:10], head[10:], body[:3], body[3:]):
                writer.write(piece)
                await writer.drain()
                await asyncio.sleep(0.005)
            answered = await reader.readuntil(b"\r\n\r\n")
            length = int(answered.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
            assert json.loads(await reader.readexactly(length)) == message(str(number))
        writer.close()
        await writer.wait_closed()
        assert server.connections == 1
