# What C knows of lifecycle.py (see the design document, section 3).
cimport cython

from gustnado.web.handler.state cimport HandlerState


cdef object _COROUTINE
cdef frozenset _SAFE_METHODS
cdef object _DECODE_ARGUMENT
cdef dict _METHOD_NAMES


cdef class LifecycleMixin(HandlerState):
    pass


cdef _prepare(LifecycleMixin handler, path_args, path_kwargs)
@cython.locals(is_usual=bint, decoded=list)
cdef list _decode_all(LifecycleMixin handler, path_args)
