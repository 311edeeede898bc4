# What C knows of server_life.py (see the design document, section 3).
from gustnado.http.h1.parser cimport RequestParser
from gustnado.http.h1.request_connection cimport RequestConnection
from gustnado.http.h1.server_files cimport ServerFiles


cdef int HEAD, BODY, LINGER, TURNED_AWAY, CLOSED


cdef class ServerLife(ServerFiles):
    cdef object _delegate
    cdef RequestParser _parser
    cdef bint _paused
    cdef RequestConnection _request
    cdef object _request_context
    cdef int _state
    cdef public bint closing
    cdef public bint eof

    cpdef bint is_closed(self) except -1
    cpdef abort(self)
    cdef _leave(self)
    cdef _end_early(self)
    cdef _close_after_output(self)
    cdef _linger(self)
    cdef _pause(self)
    cdef _resume(self)
    cdef _read_on(self)
    cdef _tell_closed(self, request)
