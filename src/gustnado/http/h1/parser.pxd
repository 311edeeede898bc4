# What C knows of parser.py (see the design document, section 3).
cimport cython

from gustnado.http.h1.chunked cimport ChunkedDecoder
from gustnado.http.headers cimport HTTPHeaders, headers_of


cdef frozenset _METHODS
cdef bytes _CONTROLS


cdef class RequestParser:
    cdef object _limits
    cdef Py_ssize_t _least_limit
    cdef Py_ssize_t _max_header_count
    cdef object _buffer
    cdef Py_ssize_t _position
    cdef Py_ssize_t _scanned
    cdef bint _empty_line
    cdef object _host
    cdef ChunkedDecoder _chunks
    cdef long long _body_read
    cdef bint _used_body
    cdef public str method
    cdef public str target
    cdef public str version
    cdef public HTTPHeaders headers
    cdef public bint complete
    cdef public bint keep_alive
    cdef public bint expects_continue
    cdef public bint http11
    cdef public long long content_length
    cdef public long long max_body_size
    cdef public bint stalled

    cpdef feed(self, bytes data)
    cpdef Py_ssize_t pending(self)
    cpdef bytes take_rest(self)
    cpdef next_message(self)
    cpdef read_head(self)
    @cython.locals(start=Py_ssize_t, end=Py_ssize_t, count=Py_ssize_t, head=bytes, clean=bint, lines=list, line=str,
                   parts=list, method=str, target=str, version=str, fields=dict, headers=HTTPHeaders)
    cpdef bint parse_head(self) except -1
    cdef bint _wait_for_head(self) except -1
    cdef _check_sizes(self, list lines, Py_ssize_t size)
    cdef bint _check_version(self, str version) except -1
    cdef _check_host(self, host)
    cdef _read_framing(self, dict fields)
    cdef _read_body_framing(self, dict fields)
    cdef _read_connection(self, connection)
    cdef _read_expect(self, expect)
    cpdef check_body_size(self)
    @cython.locals(take=Py_ssize_t)
    cpdef bytes read_body(self, Py_ssize_t max_bytes)
    cdef bytes _read_chunks(self, ChunkedDecoder chunks, Py_ssize_t max_bytes)
    cpdef trailers(self)
    cpdef long long body_read(self)
    cpdef long long body_left(self)
    @cython.locals(start=Py_ssize_t, size=Py_ssize_t, line_end=Py_ssize_t, line=bytes)
    cdef _check_partial(self)
    @cython.locals(line_end=Py_ssize_t)
    cdef _refuse_size(self, Py_ssize_t start)
