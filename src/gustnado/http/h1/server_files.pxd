# What C knows of server_files.py (see the design document, section 3).
from gustnado.http.h1.request_connection cimport RequestConnection
from gustnado.http.h1.server_output cimport ServerOutput


cdef class ServerFiles(ServerOutput):
    cdef object _answered
    cdef object _file_future
    cdef object _sender
    cdef bint _waits_for_drain

    cpdef bint can_write_file(self) except -1
    cpdef write_file(self, bytes before, int file, long long offset, long long count, bytes behind)
    cdef _end_drain(self)
    cpdef _file_sent(self, error)
    cdef _drop_file(self)
