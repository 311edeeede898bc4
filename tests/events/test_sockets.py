from __future__ import annotations

import errno
import socket
import threading

import pytest

from gustnado.events import sockets
from gustnado.events.loop import IOLoop
from gustnado.events.sockets import (
    BindError,
    add_accept_handler,
    bind_sockets,
    format_address,
    is_valid_ip,
)


def has_ipv6():
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
    except OSError:
        return False
    return True


needs_ipv6 = pytest.mark.skipif(not has_ipv6(), reason="needs IPv6")


def close(*lists):
    for sock in (sock for one in lists for sock in one):
        sock.close()


class TestBindSockets:
    def test_sockets_listen_without_blocking(self):
        (sock,) = bind_sockets(0, "127.0.0.1")
        assert not sock.getblocking()
        with socket.create_connection(sock.getsockname()):
            pass
        sock.close()

    @needs_ipv6
    @pytest.mark.parametrize("address", [None, ""])
    def test_both_families_get_the_same_port(self, address):
        bound = bind_sockets(0, address)
        assert [sock.family for sock in bound] == [socket.AF_INET, socket.AF_INET6]
        assert len({sock.getsockname()[1] for sock in bound}) == 1
        assert bound[1].getsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY)
        close(bound)

    @needs_ipv6
    def test_a_chosen_port_that_one_family_has_in_use_is_chosen_anew(self, monkeypatch):
        with socket.create_server(("::1", 0), family=socket.AF_INET6) as taken:
            port = taken.getsockname()[1]
            bind_one = sockets._bind_one
            choices = [port, port]

            def choose(info, bound_port, *others):
                family, kind, proto, name, sockaddr = info
                if choices and family == socket.AF_INET:
                    info = family, kind, proto, name, (sockaddr[0], choices.pop())
                return bind_one(info, bound_port, *others)

            monkeypatch.setattr(sockets, "_bind_one", choose)
            bound = bind_sockets(0)
            assert not choices
            assert [sock.family for sock in bound] == [socket.AF_INET, socket.AF_INET6]
            (chosen,) = {sock.getsockname()[1] for sock in bound}
            assert chosen != port
            close(bound)
            choices[:] = [port] * sockets.PORT_CHOICES
            with pytest.raises(BindError, match="address already in use"):
                bind_sockets(0)

    @needs_ipv6
    def test_one_family_only(self):
        bound = bind_sockets(0, None, socket.AF_INET6)
        assert [sock.family for sock in bound] == [socket.AF_INET6]
        close(bound)

    def test_a_port_in_use_is_one_clear_line(self):
        bound = bind_sockets(0, "127.0.0.1")
        port = bound[0].getsockname()[1]
        with pytest.raises(OSError) as raised:
            bind_sockets(port, "127.0.0.1")
        assert isinstance(raised.value, BindError)
        assert raised.value.errno == errno.EADDRINUSE
        assert str(raised.value).endswith(f"cannot listen on 127.0.0.1 port {port}: address already in use")
        close(bound)

    @needs_ipv6
    def test_a_failure_leaves_no_socket_open(self):
        taken = bind_sockets(0, "::1")
        port = taken[0].getsockname()[1]
        with pytest.raises(BindError):
            bind_sockets(port)
        free = bind_sockets(port, "127.0.0.1")
        close(taken, free)

    def test_an_address_of_another_machine(self):
        with pytest.raises(BindError) as raised:
            bind_sockets(0, "192.0.2.1")
        assert raised.value.errno == errno.EADDRNOTAVAIL

    def test_an_unknown_host_is_named(self):
        with pytest.raises(socket.gaierror, match=r"cannot listen on 'not\.valid\.' port 80"):
            bind_sockets(80, "not.valid.", flags=socket.AI_NUMERICHOST)

    def test_a_port_that_needs_rights(self, monkeypatch):
        def refuse(self, address):
            raise PermissionError(errno.EACCES, "Permission denied")

        monkeypatch.setattr(sockets.socket, "socket", type("Refusing", (socket.socket,), {"bind": refuse}))
        with pytest.raises(
            PermissionError, match=r"cannot listen on 127\.0\.0\.1 port 80: permission denied"
        ):
            bind_sockets(80, "127.0.0.1")

    @pytest.mark.parametrize("port", [-1, 65536])
    def test_what_is_no_port(self, port):
        with pytest.raises(ValueError, match="port must be 0 to 65535"):
            bind_sockets(port, "127.0.0.1")

    @pytest.mark.skipif(not hasattr(socket, "SO_REUSEPORT"), reason="needs SO_REUSEPORT")
    def test_reuse_port_lets_several_listen(self):
        first = bind_sockets(0, "127.0.0.1", reuse_port=True)
        second = bind_sockets(first[0].getsockname()[1], "127.0.0.1", reuse_port=True)
        assert first[0].getsockname() == second[0].getsockname()
        close(first, second)

    def test_reuse_port_where_there_is_none(self, monkeypatch):
        monkeypatch.delattr(socket, "SO_REUSEPORT", raising=False)
        with pytest.raises(ValueError, match="SO_REUSEPORT"):
            bind_sockets(0, reuse_port=True)

    def test_an_address_that_comes_twice_is_bound_once(self, monkeypatch):
        found = socket.getaddrinfo("127.0.0.1", 0, 0, socket.SOCK_STREAM)
        monkeypatch.setattr(sockets.socket, "getaddrinfo", lambda *args: found * 2)
        bound = bind_sockets(0, "127.0.0.1")
        assert len(bound) == 1
        close(bound)

    def test_a_localhost_without_ipv6(self, monkeypatch):
        found = [(socket.AF_INET, socket.SOCK_STREAM, 0, "", ("127.0.0.1", 0))]
        missing = [(socket.AF_INET6, socket.SOCK_STREAM, 0, "", ("::1", 0, 0, 0))]
        monkeypatch.setattr(sockets.socket, "getaddrinfo", lambda *args: found + missing)
        real = socket.socket

        class WithoutSix(real):
            def bind(self, address):
                if address[0] == "::1":
                    raise OSError(errno.EADDRNOTAVAIL, "Cannot assign requested address")
                super().bind(address)

        def make(family, *args):
            return WithoutSix(socket.AF_INET, *args)

        monkeypatch.setattr(sockets, "_set_listen_options", lambda *args: None)
        monkeypatch.setattr(sockets.socket, "socket", make)
        bound = bind_sockets(0, "localhost")
        assert len(bound) == 1
        close(bound)

    def test_an_interpreter_without_ipv6(self, monkeypatch):
        monkeypatch.setattr(sockets.socket, "has_ipv6", False)
        bound = bind_sockets(0)
        assert [sock.family for sock in bound] == [socket.AF_INET]
        close(bound)

    def test_the_link_local_localhost_of_macos_is_left_out(self, monkeypatch):
        found = [(socket.AF_INET6, socket.SOCK_STREAM, 0, "", ("fe80::1%lo0", 0, 0, 1))]
        monkeypatch.setattr(sockets.socket, "getaddrinfo", lambda *args: found)
        monkeypatch.setattr(sockets.sys, "platform", "darwin")
        assert bind_sockets(0, "localhost") == []

    def test_a_kernel_without_sockets_left(self, monkeypatch):
        def refuse(*args):
            raise OSError(errno.EMFILE, "Too many open files")

        monkeypatch.setattr(sockets.socket, "socket", refuse)
        with pytest.raises(OSError, match="Too many"):
            bind_sockets(0, "127.0.0.1")

    def test_a_family_that_the_kernel_lacks_is_left_out(self, monkeypatch):
        def refuse(*args):
            raise OSError(errno.EAFNOSUPPORT, "Address family not supported by protocol")

        monkeypatch.setattr(sockets.socket, "socket", refuse)
        assert bind_sockets(0, "127.0.0.1") == []


def test_accept_handlers_can_be_removed():
    loop = IOLoop(make_current=False)
    (sock,) = bind_sockets(0, "127.0.0.1")
    seen = []

    def on_connection(connection, address):
        seen.append((connection.getblocking(), address == client.getsockname(), threading.get_ident()))
        connection.close()
        loop.stop()

    remove = add_accept_handler(sock, on_connection, io_loop=loop)
    client = socket.create_connection(sock.getsockname())
    loop.start()
    assert seen == [(False, True, threading.get_ident())]
    remove()
    assert loop.handlers == {}
    client.close()
    sock.close()
    loop.close()


@pytest.mark.parametrize("text", ["127.0.0.1", "4.4.4.4", "::1", "2620:0:1cfe:face:b00c::3"])
def test_valid_addresses(text):
    assert is_valid_ip(text)


@pytest.mark.parametrize(
    "text", ["www.google.com", "localhost", "4.4.4.4<", " 127.0.0.1", "", " ", "\n", "\0", "a" * 100, "1\0"]
)
def test_what_is_no_address(text):
    assert not is_valid_ip(text)


def test_a_resolver_that_fails_otherwise_is_an_error(monkeypatch):
    def fail(*args):
        raise socket.gaierror(socket.EAI_FAIL, "broken")

    monkeypatch.setattr(sockets.socket, "getaddrinfo", fail)
    with pytest.raises(socket.gaierror):
        is_valid_ip("127.0.0.1")


def test_addresses_for_people():
    assert format_address(("127.0.0.1", 80)) == "127.0.0.1:80"
    assert format_address(("::1", 80, 0, 0)) == "[::1]:80"
    assert format_address("/run/socket") == "/run/socket"
