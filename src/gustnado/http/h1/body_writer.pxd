# What C knows of body_writer.py (see the design document, section 3).
cimport cython

from gustnado.http.headers cimport HeaderMap


cdef object _LENGTH


cdef class BodyWriter:
    cdef bint _is_head
    cdef bint _chunked
    cdef bint _no_body
    cdef long long _left
    cdef public long long body_sent
    cdef public bint keep_alive
    cdef public bint head_written
    cdef public bint ended

    cdef _restart(self, bint keep_alive)
    cdef long long _read_length(self, length) except -1
    @cython.locals(size=Py_ssize_t)
    cpdef bytes data(self, bytes chunk)
    cdef bint _take(self, Py_ssize_t size) except -1
    cpdef bytes end(self, HeaderMap trailers=*)
