# What C knows of writer.py (see the design document, section 3).
cimport cython

from gustnado.http.h1.body_writer cimport BodyWriter
from gustnado.http.headers cimport HeaderMap


cdef dict _USUAL_REASONS
cdef dict _STATUS_LINES
cdef object _BAD_REASON

cpdef bint is_reason(str reason) except -1
cpdef check_reason(str reason)
cpdef bytes informational(int code, HeaderMap headers=*)


cdef class ResponseWriter(BodyWriter):
    cdef bint _http11

    cpdef begin(self, bint is_head, bint http11, bint keep_alive)
    cpdef bytes head(self, int code, str reason, HeaderMap headers, str date, Py_ssize_t size=*)
    @cython.locals(fields=dict, line=str, tells_size=bint, chunked=bint, connection=str, pieces=list)
    cdef list _head_pieces(self, int code, str reason, HeaderMap headers, str date, Py_ssize_t size)
    cdef _check_transfer_encoding(self)
    cdef str _status_line(self, int code, str reason)
    cdef str _connection_line(self, dict fields)
    @cython.locals(size=Py_ssize_t, head=bytes)
    cpdef bytes whole(self, int code, str reason, HeaderMap headers, bytes body, str date)
