# What C knows of direct_routes.py (see the design document, section 3).


cdef class DirectRoutes:
    cdef public dict decided
    cdef object _lookup
    cdef object _lookup_literal
    cdef dict _recent

    cpdef find(self, str path)
