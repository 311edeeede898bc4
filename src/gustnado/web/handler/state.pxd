# What C knows of state.py (see the design document, section 3).
from gustnado.http.headers cimport HTTPHeaders


cdef class HandlerState:
    cdef public object application
    cdef public object request
    cdef public object path_args
    cdef public object path_kwargs
    cdef public HTTPHeaders _headers
    cdef public list _write_buffer
    cdef public object _status_code
    cdef public object _reason
    cdef public bint _headers_written
    cdef public bint _finished
    cdef public bint _auto_finish
    cdef public bint _cookies_count
    cdef public dict _new_cookie
    cdef public object _transforms
