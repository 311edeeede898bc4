# What C knows of response_parser.py (see the design document, section 3).
cimport cython

from gustnado.http.h1.message_parser cimport MessageParser
from gustnado.http.headers cimport HTTPHeaders, headers_of


cdef object _LENGTH
cdef bytes _CONTROLS
cdef bytes _PREFIX
cdef long long _ENDLESS


cdef class ResponseParser(MessageParser):
    cdef Py_ssize_t _least_limit
    cdef bint _head
    cdef bint _connect
    cdef int _informational
    cdef public str version
    cdef public int code
    cdef public str reason
    cdef public bint started
    cdef public bint until_close

    cpdef begin(self, str method)
    cpdef feed(self, bytes data)
    @cython.locals(start=Py_ssize_t, end=Py_ssize_t, count=Py_ssize_t, head=bytes, lines=list, fields=dict,
                   headers=HTTPHeaders)
    cpdef bint parse_head(self) except -1
    @cython.locals(version=str, code=str)
    cdef _read_status_line(self, str line)
    cdef _count_informational(self)
    @cython.locals(size=Py_ssize_t, code=int)
    cdef _read_framing(self, dict fields)
    cdef _check_coding(self, coding, length)
    cdef Py_ssize_t _read_length(self, length) except -2
    cpdef check_body_size(self)
    cpdef bytes read_body(self, Py_ssize_t max_bytes)
    cpdef long long body_left(self)
    cpdef bint end_of_input(self) except -1
    @cython.locals(start=Py_ssize_t, size=Py_ssize_t)
    cdef _check_partial(self)
