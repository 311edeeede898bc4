# What C knows of messages.py (see the design document, section 3).
cimport cython


cdef object _UNKNOWN


cdef class RequestData:
    cdef public object method
    cdef public object uri
    cdef public object version
    cdef public object headers
    cdef public object _body
    cdef public object _spooled
    cdef public object path
    cdef public object query
    cdef public object connection
    cdef public object server_connection
    cdef public object _arguments
    cdef public object _query_arguments
    cdef public object _body_arguments
    cdef public object _files
    cdef public object _host
    cdef public object _host_name
    cdef public object _remote_ip
    cdef public object _protocol
    cdef public object _cookies
    cdef public object _request_id
    cdef public object _finish_time
    cdef public double _start_time

    cdef _set_up(self, method, target, version, headers, connection, server_connection)


@cython.locals(request=RequestData)
cpdef RequestData request_of(method, target, version, headers, connection, server_connection)
