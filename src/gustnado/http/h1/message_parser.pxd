# What C knows of message_parser.py (see the design document, section 3).
cimport cython

from gustnado.http.h1.chunked cimport ChunkedDecoder
from gustnado.http.headers cimport HTTPHeaders


cdef object _BARE_LF


cdef class MessageParser:
    cdef object _limits
    cdef Py_ssize_t _max_header_count
    cdef object _buffer
    cdef Py_ssize_t _position
    cdef Py_ssize_t _scanned
    cdef ChunkedDecoder _chunks
    cdef long long _body_read
    cdef bint _used_body
    cdef public HTTPHeaders headers
    cdef public bint complete
    cdef public bint keep_alive
    cdef public bint http11
    cdef public long long content_length
    cdef public long long max_body_size
    cdef public bint stalled

    cpdef feed(self, bytes data)
    cpdef Py_ssize_t pending(self)
    cpdef bytes take_rest(self)
    cpdef next_message(self)
    cdef _begin_body(self)
    cdef _begin_chunks(self)
    cdef _read_connection(self, connection)
    @cython.locals(take=Py_ssize_t)
    cpdef bytes read_body(self, Py_ssize_t max_bytes)
    cdef bytes _read_chunks(self, ChunkedDecoder chunks, Py_ssize_t max_bytes)
    cpdef trailers(self)
    cpdef long long body_read(self)
    cpdef long long body_left(self)
    cdef _check_fields(self, list lines, Py_ssize_t size)
    cdef _check_line_ends(self)
