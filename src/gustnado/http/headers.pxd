# What C knows of headers.py (see the design document, section 3).
cimport cython


cdef dict _COMMON
cdef object _TOKEN
cdef object _BAD_VALUE
cdef object _BAD_TEXT
cdef str _OWS

cpdef str normalize_name(str name)
cdef str _to_text(str name, value)
cpdef check_value(str name, str value)
cdef str _read_name(str name, str line)


cdef class HeaderMap:
    cdef public dict _fields

    cpdef _append(self, str key, value)
    cdef _set_all(self, str key, values)
    @cython.locals(key=str)
    cdef _lookup(self, str name)
    cpdef read_lines(self, list lines, Py_ssize_t start)
    @cython.locals(index=Py_ssize_t, line=str, name=str, colon=str, value=str, key=str, fields=dict)
    cpdef take_lines(self, list lines, Py_ssize_t start)
    cpdef str to_wire(self)
    @cython.locals(name=str)
    cpdef write_to(self, list pieces)


cdef class HTTPHeaders(HeaderMap):
    pass


@cython.locals(headers=HTTPHeaders)
cpdef HTTPHeaders headers_of(dict fields)
