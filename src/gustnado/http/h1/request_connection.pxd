# What C knows of request_connection.py (see the design document, section 3).
cimport cython

from gustnado.http.h1.writer cimport ResponseWriter
from gustnado.http.headers cimport HTTPHeaders
from gustnado.http.shared cimport LoopShared


cdef class RequestServer:
    cdef public object stream
    cdef public object params
    cdef public object context
    cdef public LoopShared sweeper

    cpdef bint is_closed(self) except -1
    cpdef abort(self)
    cpdef bint may_keep_alive(self) except -1
    cpdef bint speaks_http11(self) except -1
    cpdef write(self, bytes data)
    cpdef response_done(self, RequestConnection request)


cdef class RequestConnection(ResponseWriter):
    cdef RequestServer _server
    cdef public bint _released
    cdef public object _delegate
    cdef object _close_callback
    cdef bint _told
    cdef object _gone_future
    cdef HTTPHeaders _trailers
    cdef public object context

    cdef _open(self, RequestServer server, bint is_head, bint http11, bint keep_alive)
    @cython.locals(server=RequestServer, data=bytes)
    cpdef write_response(self, int code, str reason, HTTPHeaders headers, bytes body)
    cdef str _connection_line(self, dict fields)
    cdef _gone(self)
    cdef _check_transfer_encoding(self)
    cpdef finish(self)
    cpdef release(self)
    cpdef tell_closed(self)
