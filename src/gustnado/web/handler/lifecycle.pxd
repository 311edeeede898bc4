# What C knows of lifecycle.py (see the design document, section 3).
from gustnado.web.handler.state cimport HandlerState


cdef class LifecycleMixin(HandlerState):
    pass
