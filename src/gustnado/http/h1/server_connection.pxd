# What C knows of server_connection.py (see the design document, section 3).
cimport cython

from gustnado.http.delegates cimport HTTPMessageDelegate
from gustnado.http.h1.connection cimport HTTP1Connection, RequestServer
from gustnado.http.h1.parser cimport RequestParser


cdef int HEAD, BODY, RESPOND, DRAIN, LINGER, CLOSED
cdef double _RATE_AFTER
cdef Py_ssize_t _MAX_OUTPUT


cdef class HTTP1ServerConnection(RequestServer):
    cdef object __weakref__
    cdef bint _advancing
    cdef double _body_since
    cdef double _body_timeout
    cdef double _born
    cdef object _context
    cdef object _delegate
    cdef long long _dropped
    cdef bint _in_head
    cdef bint _keeps_alive
    cdef object _loop
    cdef double _max_age
    cdef long long _max_requests
    cdef long long _max_turns
    cdef list _output
    cdef Py_ssize_t _output_size
    cdef RequestParser _parser
    cdef bint _paused
    cdef HTTP1Connection _request
    cdef object _request_context
    cdef long long _requests
    cdef double _since
    cdef int _state
    cdef list _waiters
    cdef object _waiting
    cdef long long _write_size
    cdef public bint closing
    cdef public bint eof
    cdef public object limits

    cpdef abort(self)
    cpdef bint is_closed(self) except -1
    cdef _leave(self)
    cpdef data_received(self, bytes data)
    cdef _release_waiters(self, error)
    cdef _pause(self)
    cdef _resume(self)
    cdef _read_on(self)
    cdef _end_early(self)
    @cython.locals(turns=cython.longlong, parser=RequestParser)
    cpdef _advance(self)
    @cython.locals(parser=RequestParser, keep_alive=bint, request=HTTP1Connection)
    cdef _begin(self)
    @cython.locals(parser=RequestParser, message=HTTPMessageDelegate)
    cpdef _deliver(self, HTTP1Connection request)
    cdef _want_body(self)
    @cython.locals(parser=RequestParser, chunk=bytes)
    cdef bint _read_body(self) except -1
    cdef _finish_message(self)
    cpdef _wait(self, pending)
    cpdef _waited(self, future)
    @cython.locals(parser=RequestParser, chunk=bytes)
    cdef bint _drain(self) except -1
    cpdef bint speaks_http11(self) except -1
    cpdef bint may_keep_alive(self) except -1
    @cython.locals(output=list)
    cpdef write(self, bytes data)
    @cython.locals(output=list)
    cpdef flush(self)
    @cython.locals(keep_alive=bint)
    cpdef response_done(self, HTTP1Connection request)
    cdef _next_request(self)
    cdef _close_after_output(self)
    cdef _linger(self)
    cdef _tell_closed(self, request)
    cdef _fail(self, what)
    cdef _refuse(self, error)
