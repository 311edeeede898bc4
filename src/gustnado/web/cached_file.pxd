# What C knows of cached_file.py (see the design document, section 3).
cimport cython

from gustnado.http.headers cimport HTTPHeaders
from gustnado.web.file_signatures cimport file_signature
from gustnado.web.handler.output cimport OutputMixin


cdef bint _PATHS_ARE_URLS
cdef tuple _CONDITIONS


cdef class CachedFile:
    cdef readonly str asked
    cdef readonly str path
    cdef readonly tuple signature
    cdef readonly bytes content
    cdef readonly str etag
    cdef readonly str content_type
    cdef readonly object modified
    cdef readonly str last_modified
    cdef readonly dict fields
    cdef readonly object coding
    cdef readonly object original

    cpdef bint is_current(self) except -1


cdef class UsualWays:
    cdef object _get
    cdef object _head
    cdef object _parse_url_path
    cdef list _hooks

    @cython.locals(name=str)
    cpdef bint hold(self, handler_class) except -1


@cython.locals(path=str)
cpdef tuple cache_key(OutputMixin handler)
@cython.locals(is_get=bint, is_path=bint, file=CachedFile)
cpdef bint answer_from_memory(OutputMixin handler, UsualWays ways) except -1
cpdef take_file(OutputMixin handler, CachedFile file)
@cython.locals(name=str)
cdef bint _has_conditions(dict fields) except -1
@cython.locals(fields=dict)
cdef _answer_plainly(OutputMixin handler, CachedFile file)
