# What C knows of direct_writer.py (see the design document, section 3).
cimport cython


cdef extern from *:
    """
    #ifdef _WIN32
    #define gustnado_send(descriptor, data) ((Py_ssize_t)0)
    #else
    #include <sys/socket.h>
    #ifndef MSG_NOSIGNAL
    #define MSG_NOSIGNAL 0
    #endif
    #pragma GCC diagnostic ignored "-Wunused-function"
    static inline Py_ssize_t gustnado_send(int descriptor, PyObject *data) {
        return send(descriptor, PyBytes_AS_STRING(data), (size_t)PyBytes_GET_SIZE(data), MSG_NOSIGNAL);
    }
    #endif
    """
    # Other threads are not let in meanwhile, as there is nothing to wait for: they would keep this one waiting.
    cpdef Py_ssize_t send_now "gustnado_send"(int descriptor, bytes data)


cdef class DirectWriter:
    cdef public object stream
    cdef object _direct_loop
    cdef int _descriptor
    cdef bint _behind

    cpdef pass_by(self, transport, loop)
    cpdef use_transport(self)
    cpdef write_past(self, bytes data, loop)
    cdef _write(self, bytes data)
    @cython.locals(sent=Py_ssize_t)
    cdef _write_past(self, bytes data, loop)
    cdef bint _is_behind(self) except -1
