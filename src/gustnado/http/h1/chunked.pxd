# What C knows of chunked.py (see the design document, section 3).
cimport cython


cdef class ChunkedDecoder:
    cdef Py_ssize_t _extras
    cdef Py_ssize_t _max_trailers
    cdef long long _left
    cdef int _state
    cdef public Py_ssize_t position
    cdef public bint complete
    cdef public bint stalled
    cdef public object trailers

    @cython.locals(pieces=list, room=Py_ssize_t, chunks=int, size=Py_ssize_t, take=Py_ssize_t)
    cpdef bytes decode(self, buffer, Py_ssize_t position, Py_ssize_t max_bytes)
    cdef bint _skip_crlf(self, buffer, Py_ssize_t size) except -1
    @cython.locals(end=Py_ssize_t, line_end=Py_ssize_t, line=bytes)
    cdef bint _read_size(self, buffer, Py_ssize_t size) except -1
    cdef _check_partial(self, bytes line)
    @cython.locals(start=Py_ssize_t, end=Py_ssize_t, lines=list)
    cdef bint _read_trailers(self, buffer, Py_ssize_t size) except -1
