# What C knows of dispatch.py (see the design document, section 3).
cimport cython

from gustnado.http.delegates cimport HTTPMessageDelegate
from gustnado.http.messages cimport request_of
from gustnado.web.handler.state cimport HandlerState


cdef object _EXECUTE
cdef long long _NEVER


cdef class HandlerDelegate(HTTPMessageDelegate):
    cdef public object application
    cdef public object request
    cdef public object handler_class
    cdef public object handler_kwargs
    cdef public object path_args
    cdef public object path_kwargs
    cdef list _chunks
    cdef HandlerState _handler
    cdef object _task
    cdef bint _failed
    cdef object _stream
    cdef object _body_future
    cdef object _form
    cdef long long _size
    cdef long long _spool_size

    cdef _set_up(self, application, request, handler_class, handler_kwargs, path_args, path_kwargs)
    cpdef finish(self)
    cpdef execute(self)
    cdef bint _take_body(self, request, list chunks) except -1
    @cython.locals(chunks=list)
    cdef _collect(self)
    cdef _begin_form(self)
    cdef HandlerState _this_handler(self)
    cdef HandlerState _make_handler(self)
    cdef _execute_wrapped(self, handler)
    cdef _act_on_head(self)
    cdef _look_before_body(self)
    cdef _begin_streaming(self)
    cdef _guarded(self, pending)
    cdef _begin_wrapped(self, handler)
    cdef _pass_on(self, chunk)
    cdef _finish_streaming(self, handler)


cdef class RequestDelegate(HandlerDelegate):
    cdef object _connection
    cdef HTTPMessageDelegate _inner
    cdef object _server_connection

    cdef _open(self, application, server_conn, request_conn)


@cython.locals(delegate=RequestDelegate)
cdef RequestDelegate _open_delegate(application, server_conn, request_conn)
