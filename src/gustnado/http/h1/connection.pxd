# connection.py is compiled as it is (see the design document, section 3).
