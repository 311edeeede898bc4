# What C knows of parser.py (see the design document, section 3).
cimport cython

from gustnado.http.h1.message_parser cimport MessageParser
from gustnado.http.headers cimport HTTPHeaders, headers_of


cdef frozenset _METHODS
cdef bytes _CONTROLS


cdef class RequestParser(MessageParser):
    cdef Py_ssize_t _least_limit
    cdef bint _like_tornado
    cdef bint _empty_line
    cdef object _host
    cdef public str method
    cdef public str target
    cdef public str version
    cdef public bint expects_continue

    cpdef read_head(self)
    @cython.locals(start=Py_ssize_t, end=Py_ssize_t, count=Py_ssize_t, head=bytes, clean=bint, lines=list, line=str,
                   parts=list, method=str, target=str, version=str, fields=dict, headers=HTTPHeaders)
    cpdef bint parse_head(self) except -1
    cdef bint _wait_for_head(self) except -1
    cdef bint _mend_line_ends(self) except -1
    cdef _check_sizes(self, list lines, Py_ssize_t size)
    cdef bint _check_version(self, str version) except -1
    cdef _check_host(self, host)
    cdef _read_framing(self, dict fields)
    cdef _read_body_framing(self, dict fields)
    cdef _read_expect(self, expect)
    cpdef check_body_size(self)
    @cython.locals(start=Py_ssize_t, size=Py_ssize_t, line_end=Py_ssize_t, line=bytes)
    cdef _check_partial(self)
    @cython.locals(line_end=Py_ssize_t)
    cdef _refuse_size(self, Py_ssize_t start)
