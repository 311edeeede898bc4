# What C knows of pool.py (see the design document, section 3).
cimport cython


cdef class Host:
    cdef public object key
    cdef public Py_ssize_t used
    cdef public list idle
    cdef public object blocked


cdef class ConnectionPool:
    cdef public Py_ssize_t max_clients
    cdef public Py_ssize_t max_per_host
    cdef public Py_ssize_t max_idle
    cdef public Py_ssize_t active
    cdef dict _hosts
    cdef Py_ssize_t _idle_count
    cdef object _line
    cdef dict _waiting

    @cython.locals(host=Host)
    cpdef acquire(self, key, ticket)
    cdef Host _host(self, key)
    cdef _let_in(self, Host host)
    cdef _stand(self, line, ticket, Host host)
    @cython.locals(host=Host)
    cpdef release(self, key)
    cdef _forget_host(self, Host host)
    @cython.locals(host=Host)
    cpdef admit(self)
    cpdef keep(self, key, connection, double deadline)
    cdef _take_oldest(self)
