# What C knows of output.py (see the design document, section 3).
from gustnado.web.handler.state cimport HandlerState


cdef class OutputMixin(HandlerState):
    pass
