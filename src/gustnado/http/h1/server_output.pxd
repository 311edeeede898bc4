# What C knows of server_output.py (see the design document, section 3).
cimport cython

from gustnado.http.h1.request_connection cimport RequestServer
from gustnado.http.shared cimport release


cdef Py_ssize_t _MAX_OUTPUT


cdef class ServerOutput(RequestServer):
    cdef bint _held
    cdef object _loop
    cdef list _output
    cdef Py_ssize_t _output_size
    cdef double _since
    cdef list _waiters
    cdef long long _write_size
    cdef public object limits

    @cython.locals(output=list)
    cpdef write(self, bytes data)
    @cython.locals(output=list)
    cpdef flush(self)
    cdef _release_waiters(self, error)
