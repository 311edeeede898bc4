# What C knows of server_messages.py (see the design document, section 3).
cimport cython

from gustnado.http.delegates cimport HTTPMessageDelegate
from gustnado.http.h1.parser cimport RequestParser
from gustnado.http.h1.request_connection cimport RequestConnection
from gustnado.http.h1.server_life cimport ServerLife


cdef int HEAD, BODY, RESPOND, DRAIN, LINGER, REFUSED, CLOSED


cdef class ServerMessages(ServerLife):
    cdef bint _advancing
    cdef double _body_since
    cdef double _body_timeout
    cdef double _born
    cdef object _context
    cdef long long _dropped
    cdef bint _in_head
    cdef bint _keeps_alive
    cdef double _max_age
    cdef double _max_body_time
    cdef long long _max_requests
    cdef long long _max_turns
    cdef double _min_body_rate
    cdef long long _requests
    cdef object _waiting

    @cython.locals(turns=cython.longlong, parser=RequestParser)
    cpdef _advance(self)
    @cython.locals(parser=RequestParser, keep_alive=bint, request=RequestConnection)
    cdef _begin(self)
    @cython.locals(parser=RequestParser, message=HTTPMessageDelegate)
    cpdef _deliver(self, RequestConnection request)
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
    @cython.locals(keep_alive=bint)
    cpdef response_done(self, RequestConnection request)
    cdef _next_request(self)
    cdef _fail(self, what)
    cdef _refuse(self, error)
    @cython.locals(state=int)
    cdef bint _refused_by_program(self, error) except -1
